"""Rules for inline Markdown that is cut off in the middle: what the parser has open at the cut is closed there.

They are at work in `cut_parser` only, and there only where the environment of a rendering holds a `Cut`. Emphasis,
code and the text of a link are shown as if they ended at the cut. The address of a link and a formula are held back.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from app.rendering.dollars import may_be_formula
from app.rendering.links import MAX_TITLE, MAX_URL
from app.rendering.maths import MAX_LENGTH
from app.rendering.tags import TAG, ends_of_tags

CUT = "cut"  # in the environment of a rendering
MARK = "\ufdd1"  # in the HTML, where it can be cut in two
MAX_LABELS = 10  # brackets of one text whose end is looked for
_OPEN, _NEVER = -1, -2  # in place of where a label ends

_RUN = re.compile("`+")
# Behind a label: an address and a title as far as they go.
_LINK_TAIL = re.compile(
    r"\(\s*(?:<(?:[^<>\n\\]|\\.)*(?:>|\Z)|(?P<address>(?:[^\s\\<]|\\.)*))"
    r"(?:\s+(?:\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|\((?:[^()\\]|\\.)*\)?)?)?\s*",
    re.DOTALL,
)
_NUMBER = re.compile(r"\[(?:\^[^\]\s]*|[0-9]*)\]?\Z")  # of a footnote or of a source


@dataclass(slots=True)
class Cut:
    """What the parser finds out about one text that is cut off."""

    start: int = 0  # the parser begins here; what stands before says what the first mark stands beside
    live: int | None = None  # where the first construct begins that is open at the cut
    holds: bool = False  # something behind `live` is not shown
    in_code: bool = False
    state: Any = None
    steps: list[tuple[int, int]] = field(default_factory=list)  # (number of tokens, position) at the top level
    marks: list[int] = field(default_factory=list)  # positions of those that have a MARK in the HTML
    pairs: list[tuple[int, int]] = field(default_factory=list)  # positions of emphasis that begins and ends
    runs: dict[int, int] = field(default_factory=dict)  # length of a run of backticks -> where the last one begins
    labels: int = 0

    def open_at(self, position: int) -> None:
        self.live = position if self.live is None else min(self.live, position)

    def split(self, source: str, html: str) -> tuple[int, str, str]:
        """A position before which nothing will change, nor mean anything for the rest; the HTML before and behind."""
        end = len(source) if self.live is None else self.live
        sure = [at for at in self.marks if at <= end and not any(a < at <= b for a, b in self.pairs)]
        parts = html.split(MARK)
        index = self.marks.index(sure[-1]) + 1 if sure else 0
        at, before, after = sure[-1] if sure else self.start, "".join(parts[:index]), "".join(parts[index:])
        words = source[source.rfind(" ") + 1 :]
        last = self.steps[-1][1] if self.steps else len(source)
        if self.live is None and 0 < len(words) < len(source) - last and words.isalnum() and after.endswith(words):
            return len(source) - len(words), before + after.removesuffix(words), words
        return at, before, after


def add_cut_rules(markdown: Any) -> None:
    ruler = markdown.inline.ruler
    ruler.before("text", "cut_step", _step)
    ruler.before("backticks", "cut_code", _code)
    ruler.before("bracket_maths", "cut_formula", _formula)
    ruler.before("link", "cut_link", _link)
    ruler.before("tags", "cut_tag", _tag)
    markdown.renderer.rules["cut_mark"] = lambda *_: MARK
    markdown.inline.ruler2.before("balance_pairs", "cut_emphasis", _emphasis)


def _cut_of(state: Any) -> Cut | None:
    """None where the state is not of the text that is cut off, or where the end of a label hides the cut."""
    cut = state.env.get(CUT)
    return cut if cut is not None and cut.state is state and state.posMax == len(state.src) else None


def _step(state: Any, silent: bool) -> bool:
    cut = state.env.get(CUT)
    if cut is None or silent or (cut.state is not None and cut.state is not state):
        return False
    if cut.state is None:
        cut.state = state
        cut.runs = {len(run.group()): run.start() for run in _RUN.finditer(state.src)}
        if cut.start:
            state.pos = cut.start
            return True
    if state.level == 0:
        at = state.pos
        if at > cut.start and state.src[at - 1] == " " and not state.src[at].isspace() and MARK not in state.src:
            state.push("cut_mark", "", 0)
            cut.marks.append(at)
        cut.steps.append((len(state.tokens) + bool(state.pending), at))
    return False


def _code(state: Any, silent: bool) -> bool:
    cut = _cut_of(state)
    run = _RUN.match(state.src, state.pos) if cut else None
    if cut is None or run is None or cut.runs[len(run.group())] > state.pos:
        return False
    if not silent:
        cut.open_at(state.pos)
        cut.in_code = True
        code = state.src[run.end() :].replace("\n", " ")
        state.push("code_inline", "code", 0).content = code.removeprefix(" ")
    state.pos = state.posMax
    return True


def _formula(state: Any, silent: bool) -> bool:
    cut = _cut_of(state)
    if cut is None or not _may_be_formula(state.src, state.pos):
        return False
    if not silent:
        cut.open_at(state.pos)
        cut.holds = True
    state.pos = state.posMax
    return True


def _may_be_formula(source: str, at: int) -> bool:
    """It has no end yet, and could have one."""
    mark = source[at : at + 2]
    if len(source) - at > MAX_LENGTH or mark[:1] not in ("$", "\\"):
        return False
    if mark in ("\\(", "\\["):
        return source.find("\\)" if mark == "\\(" else "\\]", at + 2) < 0
    if mark[0] != "$" or len(mark) < 2 or mark[1].isspace() or source.find("$", at + 1 + (mark == "$$")) >= 0:
        return False
    return may_be_formula(source[at:].lstrip("$"))


def _tag(state: Any, silent: bool) -> bool:
    cut = _cut_of(state)
    if cut is None or silent or state.src[state.pos] != "<":
        return False
    is_comment = state.src.startswith("<!--", state.pos) and state.html_terminator_last("-->") < state.pos
    tag = TAG.match(state.src, state.pos)
    if not is_comment and (tag is None or tag["end"] or state.pos in ends_of_tags(state)):
        return False
    cut.open_at(state.pos)
    if tag is None:
        cut.holds = True
        state.pos = state.posMax
    else:
        name = tag["name"].lower()
        state.push(f"{name}_open", name, 1)
        state.pos = tag.end()
        state.md.inline.tokenize(state)
        _close_emphasis(state, cut)
        state.push(f"{name}_close", name, -1)
        state.pos = state.posMax
    return True


def _link(state: Any, silent: bool) -> bool:
    cut = _cut_of(state)
    is_image = state.src.startswith("![", state.pos)
    if cut is None or silent or not (is_image or state.src[state.pos] == "["):
        return False
    start, maximum = state.pos + is_image, state.posMax
    if _NUMBER.match(state.src, start):
        cut.open_at(state.pos)
        cut.holds = True
        state.pos = maximum
        return True
    end = _label_end(state, cut, start, is_image)
    if end == _NEVER or (end != _OPEN and not _goes_on(state.src, end + 1)):
        return False
    cut.open_at(state.pos)
    cut.holds = cut.holds or end != _OPEN
    is_outer = state.linkLevel == 0
    if not is_outer and end == _OPEN:
        state.pos = start + 1
        return True
    if is_outer:
        state.push("link_open", "a", 1).attrs = {"class": "image"} if is_image else {}
    state.linkLevel += 1
    state.pos, state.posMax = start + 1, maximum if end == _OPEN else end
    if state.pos < state.posMax:
        state.md.inline.tokenize(state)
    state.linkLevel -= 1
    if is_outer:
        _close_emphasis(state, cut)
        state.push("link_close", "a", -1)
    state.pos = state.posMax = maximum
    return True


def _label_end(state: Any, cut: Cut, start: int, is_image: bool) -> int:
    """As markdown-it's parseLinkLabel, which does not tell a label without an end from one with a link in it."""
    if state.html_terminator_last("]") < start:
        return _OPEN
    cut.labels += 1
    if cut.labels > MAX_LABELS:
        return _NEVER
    position, state.pos, depth = state.pos, start + 1, 1
    end = _OPEN
    while state.pos < state.posMax:
        char, before = state.src[state.pos], state.pos
        depth -= char == "]"
        if not depth:
            end = state.pos
            break
        state.md.inline.skipToken(state)
        if char == "[" and state.pos == before + 1:
            depth += 1
        elif char == "[" and not is_image:
            end = _NEVER
            break
    state.pos = position
    return end


def _goes_on(source: str, after: int) -> bool:
    rest = source[after : after + MAX_URL + MAX_TITLE]
    tail = _LINK_TAIL.fullmatch(rest)
    is_last = after + len(rest) == len(source)
    return not rest or (is_last and tail is not None and not _is_closed(tail["address"] or ""))


def _is_closed(address: str) -> bool:
    """The parenthesis that it stands in has ended."""
    depth = 0
    for char in address:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return True
    return False


def _emphasis(state: Any) -> None:
    cut = state.env.get(CUT)
    if cut is not None and cut.state is state:
        _close_emphasis(state, cut)


def _close_emphasis(state: Any, cut: Cut) -> None:
    """Put an end behind each beginning that still could have one, and match the others for good."""
    from markdown_it.rules_inline.balance_pairs import processDelimiters
    from markdown_it.rules_inline.state_inline import Delimiter

    delimiters = state.delimiters
    processDelimiters(state, delimiters)
    is_top = state.level == 0
    steps = [tokens for tokens, _ in cut.steps]

    def position(index: int) -> int:
        return cut.steps[max(0, bisect_right(steps, delimiters[index].token) - 1)][1]

    inside, is_open = -1, []
    for index, delimiter in enumerate(delimiters):
        if delimiter.end > index:
            if index > inside and is_top:
                cut.pairs.append((position(index), position(delimiter.end)))
            inside = max(inside, delimiter.end)
        elif index > inside and delimiter.open and delimiter.end < 0:
            is_open.append(index)
    if is_open and is_top:
        cut.open_at(position(is_open[0]))
    for index in reversed(is_open):
        opening = delimiters[index]
        state.push("text", "", 0).content = state.tokens[opening.token].content
        opening.end = len(delimiters)
        delimiters.append(Delimiter(opening.marker, opening.length, len(state.tokens) - 1, -1, False, False))
    for delimiter in delimiters:
        delimiter.open = delimiter.close = False
