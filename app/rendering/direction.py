"""`dir` of blocks: Arabic and Hebrew begin at the right, and so do the marks, borders and columns around them.

The browser decides by the first letter (`auto`), but for what it cannot know: a text that is mostly Arabic stays so
behind a first word in Latin letters, a list is what most of its items are, and an item follows its list unless all of
its letters are of the other direction.
"""

import re
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"[^\W\d_]+")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]+")
_MAY_HAVE_ANY = re.compile(f"{_RIGHT_TO_LEFT.pattern}|&#")
MOSTLY = 2  # a word list has as many letters of both; a text in Arabic that begins with a name has many more of its own

BLOCKS = {
    *("paragraph_open", "heading_open", "blockquote_open", "bullet_list_open", "ordered_list_open", "list_item_open"),
    *("table_open", "th_open", "td_open", "details_open", "footnote_open"),
}


@dataclass(slots=True)
class Letters:
    """Those of a block outside code and formulas, by direction."""

    rtl: int = 0
    ltr: int = 0
    first: str = ""
    seen: str = ""  # the first one to a browser, which counts those of formulas too
    votes: int = 0  # blocks in it from right to left, less the others

    def add_block(self, inner: "Letters") -> None:
        self.add(inner)
        if inner.first:
            self.votes += 1 if inner.direction == "rtl" else -1

    def add(self, following: "Letters") -> None:
        self.rtl += following.rtl
        self.ltr += following.ltr
        self.first = self.first or following.first
        self.seen = self.seen or following.seen

    @property
    def direction(self) -> str:
        if self.votes:
            return "rtl" if self.votes > 0 else "ltr"
        return "rtl" if self.first == "rtl" or self.rtl > MOSTLY * self.ltr else "ltr"

    def is_all(self, direction: str) -> bool:
        return (self.rtl > 0, self.ltr > 0) == (direction == "rtl", direction == "ltr")


def add_directions(markdown: Any) -> None:
    markdown.core.ruler.push("directions", _mark)


def _mark(state: Any) -> None:
    # Without any, the rest would find just this, more slowly.
    if not _MAY_HAVE_ANY.search(state.src):
        for token in state.tokens:
            if (token.level == 0 and token.nesting == 1) or token.type == "footnote_open":
                token.attrSet("dir", "auto")
        return
    letters = _letters_of_blocks(state.tokens)
    around: list[str] = []  # directions of the blocks that are open
    for index, token in enumerate(state.tokens):
        if token.nesting == 1:
            around.append(_marked(token, letters[index], around))
        elif token.nesting == -1:
            around.pop()


def _marked(token: Any, letters: Letters, around: list[str]) -> str:
    """The direction of the block that this token opens."""
    if token.type not in BLOCKS:
        return around[-1] if around else ""
    if not around or not around[-1]:
        direction = letters.direction
        token.attrSet("dir", direction if letters.seen not in ("", direction) else "auto")
        return direction
    other = "ltr" if around[-1] == "rtl" else "rtl"
    if letters.is_all(other):
        token.attrSet("dir", "auto")
        return other
    return around[-1]


def _letters_of_blocks(tokens: list[Any]) -> dict[int, Letters]:
    """By index of the token that opens the block; a block has those of the blocks in it too."""
    letters: dict[int, Letters] = {}
    opened = [Letters()]
    for index, token in enumerate(tokens):
        if token.nesting == 1:
            letters[index] = Letters()
            opened.append(letters[index])
        elif token.nesting == -1:
            inner = opened.pop()
            opened[-1].add_block(inner)
        elif token.children:
            opened[-1].add(_letters_of_line(token.children))
    return letters


def _letters_of_line(children: list[Any]) -> Letters:
    letters = Letters()
    for child in children:
        if child.type.startswith("math"):
            letters.seen = letters.seen or "ltr"
        elif child.type == "text":
            for word in _WORD.findall(child.content):
                letters.add(_letters_of_word(word))
    return letters


def _letters_of_word(word: str) -> Letters:
    rtl = sum(map(len, _RIGHT_TO_LEFT.findall(word)))
    first = "rtl" if _RIGHT_TO_LEFT.match(word) else "ltr"
    return Letters(rtl, len(word) - rtl, first, first)
