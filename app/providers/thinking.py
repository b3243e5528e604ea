"""Thinking that comes inside the text of an answer: `<think>…</think>` and its relatives, at the beginning."""

from collections.abc import Iterator

from app.providers.events import TextDelta, ThinkingDelta, WasThinking

# How models open their thinking, and what ends it. gpt-oss writes into channels: all but the last one is thinking.
_ENDS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "[THINK]": "[/THINK]",
    "<|channel|>analysis<|message|>": "<|end|>",
    "<|channel|>commentary<|message|>": "<|end|>",
}
_NEITHER = ("<|start|>assistant", "<|channel|>final<|message|>")
_LEADING = (*_ENDS, *_NEITHER)
# A template that opens the thinking itself leaves only its end to the answer. Later than this, such a line is text.
_LONE_ENDS = ("</think>", "</thinking>", "[/THINK]")
_MOST_BLANK = 1000  # characters before a tag
_MOST_BEFORE_A_LONE_END = 100_000  # characters
_MOST_TAGS = 200  # that open thinking; what comes after so many is text
_MOST_LONE_ENDS = 20  # that turned out to be text
_AT_ONCE = 4096  # characters: a text is cut at every tag in it, and each cut copies what is left

Told = TextDelta | ThinkingDelta | WasThinking


class InlineThinking:
    """Takes deltas, tells text from thinking; a tag may be split over any number of them."""

    def __init__(self, *, may_think: bool) -> None:
        self._state = "start" if may_think else "text"
        self._held = ""  # not told yet: it may be a tag's beginning
        self._end = ""
        self._has_thought = False
        self._shown: list[str] | None = [] if may_think else None  # as text that a lone end may make thinking of
        self._size = 0
        self._tags = self._lone_ends = 0

    def told_apart(self) -> None:
        """The server tells thinking from text by itself: a lone end means nothing."""
        self._shown = None

    def feed(self, text: str) -> Iterator[Told]:
        if self._state == "text" and self._shown is None and not self._held:  # nothing can be thinking any more
            yield TextDelta(text)
            return
        for at in range(0, len(text), _AT_ONCE):
            yield from self._feed(text[at : at + _AT_ONCE])

    def _feed(self, text: str) -> Iterator[Told]:
        self._held += text
        state = ""
        while self._held and state != self._state:
            state = self._state
            if state == "start":
                self._begin()
            elif state == "thinking":
                yield from self._think()
            else:
                yield from self._write()

    def finish(self) -> Iterator[Told]:
        """What was held back in case it were a tag."""
        held, self._held = self._held, ""
        if self._shown and held in _LONE_ENDS and self._may_end_thinking():
            yield WasThinking("".join(self._shown))
            return
        if self._state == "start" and self._shown is None:
            held = held.lstrip("\n")
        if held:
            yield ThinkingDelta(held) if self._state == "thinking" else TextDelta(held)

    def _begin(self) -> None:
        """At the beginning and behind thinking. Tags are taken away, what may become one is held."""
        while tag := next((tag for tag in _LEADING if self._held.lstrip().startswith(tag)), None):
            self._held = self._held.lstrip().removeprefix(tag)
            self._shown = None
            self._tags += 1
            if self._tags > _MOST_TAGS:
                self._state = "text"
                return
            if tag in _ENDS:
                self._state, self._end, self._has_thought = "thinking", _ENDS[tag], False
                return
        may_be_tag = len(self._held) <= _MOST_BLANK and any(tag.startswith(self._held.lstrip()) for tag in _LEADING)
        if not may_be_tag:
            self._state = "text"
            if self._shown is None:
                self._held = self._held.lstrip("\n")

    def _think(self) -> Iterator[Told]:
        thought, end, rest = self._held.partition(self._end)
        if end:
            self._state, self._held = "start", rest
        else:
            cut = len(thought) - _overlap(thought, (self._end,))
            thought, self._held = thought[:cut], thought[cut:]
        if not self._has_thought:
            thought = thought.lstrip("\n")
        if thought:
            self._has_thought = True
            yield ThinkingDelta(thought)

    def _write(self) -> Iterator[Told]:
        while self._shown is not None:
            found = [(self._held.find(end), end) for end in _LONE_ENDS if end in self._held]
            if not found:
                break
            if self._lone_ends >= _MOST_LONE_ENDS:
                self._shown = None
                break
            at, end = min(found)
            if at:
                yield self._show(at)
                continue
            after = self._held[len(end) :]
            if not after:
                return  # what follows tells
            if after[0] == "\n" and self._may_end_thinking():
                yield WasThinking("".join(self._shown))
                self._shown, self._state, self._held = None, "start", after
                return
            self._lone_ends += 1
            yield self._show(len(end))
        size = len(self._held) if self._shown is None else len(self._held) - _overlap(self._held, _LONE_ENDS)
        if size:
            yield self._show(size)

    def _show(self, size: int) -> TextDelta:
        text, self._held = self._held[:size], self._held[size:]
        if self._shown is not None:
            self._shown.append(text)
            self._size += size
            if self._size > _MOST_BEFORE_A_LONE_END:
                self._shown = None
        return TextDelta(text)

    def _may_end_thinking(self) -> bool:
        """On a line of its own, and in no block of code."""
        shown = "".join(self._shown or ())
        return shown.strip() != "" and shown.endswith("\n") and shown.count("```") % 2 == 0


def _overlap(text: str, tags: tuple[str, ...]) -> int:
    """How much of the text's end may be the beginning of one of the tags."""
    longest = max(map(len, tags)) - 1
    tail = text[-longest:]
    if not any(tag[0] in tail for tag in tags):  # of nearly every token
        return 0
    sizes = range(len(tail), 0, -1)
    return next((size for size in sizes if any(tag.startswith(text[-size:]) for tag in tags)), 0)
