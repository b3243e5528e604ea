"""A list inside a JSON object, read item by item: the first are kept, the others are counted."""

import codecs
import json
import re
from dataclasses import dataclass, field
from typing import Any

_DECODER = json.JSONDecoder(strict=False)
_MOST_ITEM = 128 * 1024  # characters; one whose end is still to come is read anew with each piece
_LONGEST_BEGINNING = 100  # characters
_BETWEEN = re.compile(r"[\s,]*")


@dataclass(slots=True)
class Listed:
    """`count`: of all that the server named."""

    items: list[Any] = field(default_factory=list)
    count: int = 0


class ListReader:
    """Reads the list that the object has as `name`. `ended` at its end: what follows does not matter."""

    def __init__(self, name: str, most: int) -> None:
        self._beginning = re.compile(rf'"{name}"\s*:\s*\[')
        self._most = most
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._has_begun = False
        self.listed = Listed()
        self.ended = False

    def feed(self, piece: bytes) -> None:
        """Raises ValueError for what is no such list."""
        self._text += self._characters.decode(piece)
        at = 0
        if not self._has_begun:
            found = self._beginning.search(self._text)
            if found is None:
                self._text = self._text[-_LONGEST_BEGINNING:]
                return
            at, self._has_begun = found.end(), True
        while not self.ended:
            between = _BETWEEN.match(self._text, at)
            at = between.end() if between else at
            if self._text.startswith("]", at):
                self.ended = True
                break
            try:
                item, end = _DECODER.raw_decode(self._text, at)
            except RecursionError:
                raise ValueError("nested too deeply") from None
            except ValueError:
                break  # half of it is still to come
            if end == len(self._text):
                break  # of a number, too
            at = end
            self.listed.count += 1
            if len(self.listed.items) < self._most:
                self.listed.items.append(item)
        self._text = self._text[at:]
        if len(self._text) > _MOST_ITEM:
            raise ValueError("too long an item")
