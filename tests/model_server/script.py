"""What is answered: a pure function of the prompt, steered by `[[name=value …]]` inside it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count, cycle, islice
from typing import Any
from zlib import crc32

ENDLESS = -1
ECHOED = 50  # characters a token


def _split(words: str) -> list[str]:
    return words.split()


_WORDS = {
    "plain": _split(
        "tea house water leaf cup steam quiet morning river stone garden bridge lantern paper ink brush letter "
        "mountain cloud rain wind harbour market ginger honey copper kettle porcelain wooden table window story"
    ),
    "unicode": _split("茶馆 🍵 水 🏮 Grüße 한국어 नमस्ते 👩‍👩‍👧 山 é́ 雨 ✅ 月 naïve 日本語 🇨🇳 书 Ω 花 𝔘"),
    "blank": ["", "\n", "\t"],
    "repeat": ["again"],
    "clock": ["0"],
}
_DIRECTIVE = re.compile(r"\[\[([^\[\]]*)\]\]")


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. `tokens` may be `endless`, `rate` is tokens a second (0: as fast as it goes), `first` in ms.

    A `fault` (see faults.py) hits the first `times` requests for this very prompt, or all of them with 0.
    """

    tokens: int = 20
    rate: float = 0.0
    first: float = 0.0
    think: int = 0
    text: str = "plain"
    reasoning: str = "reasoning_content"
    finish: str = "stop"
    fault: str = ""
    times: int = 0
    extra: dict[str, str] = field(default_factory=dict)


def script_for(prompt: str, default: Script | None = None) -> Script:
    """The default, changed by what the prompt says."""
    values: dict[str, Any] = {}
    extra: dict[str, str] = {}
    for group in _DIRECTIVE.findall(prompt):
        for pair in group.split():
            name, _, value = pair.partition("=")
            if name == "tokens" and value == "endless":
                values[name] = ENDLESS
            elif name in ("tokens", "think", "times"):
                values[name] = int(value)
            elif name in ("rate", "first"):
                values[name] = float(value)
            elif name in ("text", "reasoning", "finish", "fault"):
                values[name] = value
            else:
                extra[name] = value
    return replace(default or Script(), **values, extra=extra)


def answer_for(prompt: str, tokens: int | None = None, default: Script | None = None) -> list[str]:
    """The tokens of the answer to a last user message; `tokens` overrides its number (needed when endless)."""
    script = script_for(prompt, default)
    number = script.tokens if tokens is None else tokens
    if number == ENDLESS:
        raise ValueError("an endless answer has no list")
    return list(islice(_words(prompt, script.text), number))


def thinking_for(prompt: str, default: Script | None = None) -> list[str]:
    return list(islice(_words("think " + prompt, "plain"), script_for(prompt, default).think))


def pieces_from(prompt: str, script: Script, prefix: str, limit: int | None) -> Iterator[str]:
    """The answer's tokens after `prefix` (which may end inside one), at most `limit` of them."""
    words = _words(prompt, script.text)
    skip = len(prefix)
    sent = 0
    for index in count():
        if index == script.tokens or sent == limit:
            return
        word = next(words)
        if skip >= len(word):
            skip -= len(word)
            continue
        yield word[skip:]
        skip = 0
        sent += 1


def is_cut_short(prompt: str, script: Script, prefix: str, limit: int | None) -> bool:
    """Whether `limit` ends the answer before its own end does."""
    if limit is None or script.tokens == ENDLESS:
        return limit is not None
    return sum(1 for _ in pieces_from(prompt, script, prefix, None)) > limit


def _words(prompt: str, text: str) -> Iterator[str]:
    if text == "echo":  # of what is asked, again and again
        said = _DIRECTIVE.sub("", prompt) or " "
        yield from cycle(said[at : at + ECHOED] for at in range(0, len(said), ECHOED))
    words = _WORDS[text]
    state = crc32(prompt.encode())
    for index in count():
        state = (state * 1103515245 + 12345 + index) & 0x7FFFFFFF
        word = words[(state >> 8) % len(words)]
        yield word if index == 0 and word.strip() else f" {word}"
