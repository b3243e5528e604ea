"""The few HTML tags that models write for chat programs, and comments. A tag with attributes, or any other, is text."""

import re
from typing import Any

from app.rendering.leaf import LEAF

_PAIRED = ("sub", "sup", "kbd", "mark", "u")
TAG = re.compile(rf"<(?P<end>/?)(?P<name>{'|'.join(_PAIRED)})>", re.IGNORECASE)
_BREAK = re.compile(r"<br ?/?>[ \t]*\n?[ \t]*", re.IGNORECASE)
_COMMENT = re.compile(r"<!--(?!-?>)(?:(?!-->).)*-->", re.DOTALL)
_DETAILS = re.compile(r"<(?P<end>/?)details>", re.IGNORECASE)
_SUMMARY = re.compile(r"\s*<summary>(?P<words>[^\n]*?(?:\n[^\n]+?)*?)</summary>", re.IGNORECASE)
MOST_LINES_OF_SUMMARY = 8
_INTERRUPTS = {"alt": ["paragraph", "reference", "blockquote", "list"]}


def add_tags(markdown: Any) -> None:
    markdown.inline.ruler.before("autolink", "tags", _inline)
    markdown.block.ruler.before("fence", "details", _details, _INTERRUPTS)
    markdown.block.ruler.before("fence", "comment", _comment_block, _INTERRUPTS)


def _inline(state: Any, silent: bool) -> bool:
    if state.src[state.pos] != "<":
        return False
    found = _BREAK.match(state.src, state.pos, state.posMax)
    if found and not silent:
        state.push("hardbreak", "br", 0)
    found = found or _comment(state)
    if found:
        state.pos = found.end()
        return True
    return _paired(state, silent)


def _comment(state: Any) -> re.Match[str] | None:
    if not state.src.startswith("<!--", state.pos) or state.html_terminator_last("-->") < state.pos:
        return None
    return _COMMENT.match(state.src, state.pos, state.posMax)


def _paired(state: Any, silent: bool) -> bool:
    begin = TAG.match(state.src, state.pos)
    end = ends_of_tags(state).get(state.pos) if begin else None
    if begin is None or end is None or end.end() > state.posMax:
        return False
    if not silent:
        tag, maximum = begin["name"].lower(), state.posMax
        state.push(f"{tag}_open", tag, 1)
        state.pos, state.posMax = begin.end(), end.start()
        if state.pos < state.posMax:
            state.md.inline.tokenize(state)
        state.posMax = maximum
        state.push(f"{tag}_close", tag, -1)
    state.pos = end.end()
    return True


def ends_of_tags(state: Any) -> dict[int, re.Match[str]]:
    """Where a tag begins -> its end; of all tags of the text, found in one walk."""
    if not hasattr(state, "tag_ends"):
        state.tag_ends = {}
        is_open: list[re.Match[str]] = []
        for tag in TAG.finditer(state.src):
            if not tag["end"]:
                is_open.append(tag)
            elif is_open and is_open[-1]["name"].lower() == tag["name"].lower():
                state.tag_ends[is_open.pop().start()] = tag
    found: dict[int, re.Match[str]] = state.tag_ends
    return found


def _comment_block(state: Any, start: int, end: int, silent: bool) -> bool:
    """Lines that are nothing but a comment; it ends before a blank line or is none."""
    if state.is_code_block(start) or not _line(state, start).startswith("<!--"):
        return False
    last = start
    while "-->" not in _line(state, last):
        last += 1
        if last == end and LEAF in state.env:
            state.line = end  # a text that goes on: the comment's end may come
            return True
        if last == end or state.isEmpty(last) or state.sCount[last] < state.blkIndent:
            return False
    text = "\n".join(_line(state, number) for number in range(start, last + 1)).rstrip()
    if not _COMMENT.fullmatch(text):
        return False
    if not silent:
        state.line = last + 1
    return True


def _details(state: Any, start: int, end: int, silent: bool) -> bool:
    """As far as its end tag or, as code in a fence does, as far as the text goes."""
    opening = _DETAILS.match(_line(state, start)) if not state.is_code_block(start) else None
    if opening is None or opening["end"]:
        return False
    if silent:
        return True
    first = state.bMarks[start] + state.tShift[start] + opening.end()
    summary = _SUMMARY.match(state.src, first, state.eMarks[min(end - 1, start + MOST_LINES_OF_SUMMARY)])
    first = summary.end() if summary else first
    line = next(number for number in range(start, end) if state.eMarks[number] >= first)
    last, at = _end_of_details(state, line, first, end)
    token = state.push("details_open", "details", 1)
    token.map = [start, min(end, last + 1)]
    if summary:
        state.push("summary_open", "summary", 1)
        words = state.push("inline", "", 0)
        words.content, words.children, words.map = summary["words"].strip(), [], [start, line + 1]
        state.push("summary_close", "summary", -1)
    _tokenize(state, line, first, last, at)
    state.push("details_close", "details", -1)
    state.line = min(end, last + 1)
    return True


def _end_of_details(state: Any, line: int, first: int, end: int) -> tuple[int, int]:
    """The line and the position of the end tag; the line after the last one where there is none."""
    depth = 1
    for number in range(line, end):
        begins = max(first, state.bMarks[number] + state.tShift[number])
        if number > line and state.sCount[number] < state.blkIndent and not state.isEmpty(number):
            return number, begins
        for tag in _DETAILS.finditer(state.src, begins, state.eMarks[number]):
            depth += -1 if tag["end"] else 1
            if not depth:
                return number, tag.start()
    return end, len(state.src)


def _tokenize(state: Any, line: int, first: int, last: int, at: int) -> None:
    """The blocks between the tags: also what stands on their own lines."""
    has_end = last < state.lineMax
    kept = (
        state.bMarks[line],
        state.tShift[line],
        state.sCount[line],
        state.lineMax,
        state.eMarks[last if has_end else 0],
    )
    if has_end and state.eMarks[last] >= at:
        state.eMarks[last] = at
    state.bMarks[line], state.tShift[line], state.sCount[line] = first, 0, state.blkIndent
    begin = line if state.src[first : state.eMarks[line]].strip() else line + 1
    is_line = has_end and state.src[state.bMarks[last] : at].strip() != ""
    state.lineMax = max(begin, last + 1 if is_line else last)
    state.md.block.tokenize(state, begin, state.lineMax)
    state.bMarks[line], state.tShift[line], state.sCount[line], state.lineMax = kept[:4]
    if has_end:
        state.eMarks[last] = kept[4]


def _line(state: Any, number: int) -> str:
    return str(state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]])
