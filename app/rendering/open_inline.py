"""A paragraph, a cell or a heading that is being written: what it has open is shown as if it ended here.

What cannot change any more is kept as HTML. Plain words are put behind it as they come; only where a mark comes is
what stands behind the last stable place read again.
"""

import html
import re
from dataclasses import dataclass

from app.rendering.pipeline import render_cut, render_inline

# Text that can mean nothing but itself: neither mark-up nor part of an address.
_WORDS = re.compile(r"(?:[^\n*_`~$\\\[\]<:@&!]|[:&!](?=[ \t]))*")
_IN_CODE = re.compile(r"[^\n`]*")
# An address or what may become a link goes on with what would be a plain word elsewhere.
_GOES_ON = re.compile(r"(?:[@:&][!-~]*|\])\Z")
_LONGEST_ADDRESS = 2000
_LONGEST_HELD = 64
# Marks of which nothing is known before what stands behind them, an entity, a tag or an address in `<>`.
_HELD = re.compile(r"(?:[*_~`$\\!\[]+|&#?[A-Za-z0-9]{0,31}|<br ?/?|<[A-Za-z/!]?[^\s<>]*)+\Z")
_ADDRESS = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*\Z")
_ENDS = re.compile(r"(?:</(?:strong|em|s|code|a|sub|sup|kbd|mark|u)>)+\Z")


@dataclass(slots=True)
class Effort:
    """How much of a text may be read again while it grows, in characters: so much for each that comes."""

    per_character: float
    left: float

    def earn(self, characters: int) -> None:
        self.left += characters * self.per_character

    def spend(self, characters: int) -> None:
        self.left -= characters

    def allows(self, characters: int) -> bool:
        return self.left >= characters


class OpenInline:
    def __init__(self, source: str, id_prefix: str, effort: Effort) -> None:
        self._source = source
        self._prefix = id_prefix
        self._effort = effort
        self._kept = ""
        self._from = 0  # what stands before is in `_kept`
        self._rest = ""  # HTML of what stands behind
        self._at = 0  # plain words are put here
        self._shown = 0  # so much of the source has been looked at
        self._takes_words = True
        self._is_open = False  # a construct is, at the end of what is shown
        self._in_code = False

    @property
    def source(self) -> str:
        return self._source

    def add(self, text: str) -> None:
        self._source += text

    def html(self) -> str:
        is_new = self._shown < len(self._source) and not self._took_words()
        if is_new and (not self._shown or self._effort.allows(len(self._source) - self._from)):
            self._render()
        return self._kept + self._rest

    @property
    def in_code(self) -> bool:
        return self._in_code

    def finished(self) -> str:
        """What it is once nothing follows."""
        shown = self.html()
        is_whole = self._shown == len(self._source) and self._takes_words and not self._is_open
        return shown if is_whole else render_inline(self._source, id_prefix=self._prefix)

    def _took_words(self) -> bool:
        words = _IN_CODE if self._in_code else _WORDS
        if not self._takes_words or not words.fullmatch(self._source, self._shown):
            return False
        new = self._source[self._shown :]
        self._shown = len(self._source)
        if not self._is_open and (end := new.rstrip().rfind(" ") + 1):
            self._from = self._shown - len(new) + end
            self._kept += self._rest + html.escape(new[:end], quote=False)
            new, self._rest, self._at = new[end:], "", 0
        text = html.escape(new, quote=False)
        self._rest = self._rest[: self._at] + text + self._rest[self._at :]
        self._at += len(text)
        return True

    def _render(self) -> None:
        self._shown = len(self._source)
        end = _shown_end(self._source, self._from)
        before = max(0, self._from - 2)
        self._effort.spend(end - before)
        self._rest, cut = render_cut(self._source[before:end], self._from - before, id_prefix=self._prefix)
        if cut.in_code and (in_code := self._source[end:].partition("`")[0]):
            end += len(in_code)  # all other marks are text there
            self._rest, cut = render_cut(self._source[before:end], self._from - before, id_prefix=self._prefix)
        stable, kept, self._rest = cut.split(self._source[before:end], self._rest)
        self._from = before + stable
        self._kept += kept
        ends = _ENDS.search(self._rest) if cut.live is not None else None
        self._at = ends.start() if ends else len(self._rest)
        self._is_open, self._in_code = cut.live is not None, cut.in_code
        self._takes_words = end == len(self._source) and not cut.holds and not _GOES_ON.search(self._source, end - 64)


def _shown_end(source: str, start: int) -> int:
    address = source.rfind("<", max(start, len(source) - _LONGEST_ADDRESS))
    if address >= 0 and _ADDRESS.match(source, address):
        source = source[:address]
    held = _HELD.search(source, max(start, len(source) - _LONGEST_HELD))
    return held.start() if held else len(source)
