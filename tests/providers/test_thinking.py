"""Inline thinking, with its tags split anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.events import TextDelta, ThinkingDelta
from app.providers.openai_compatible.thinking import InlineThinking


def told_apart(pieces: list[str], *, may_think: bool = True) -> tuple[str, str]:
    inline = InlineThinking(may_think=may_think)
    events: list[TextDelta | ThinkingDelta] = [event for piece in pieces for event in inline.feed(piece)]
    events += inline.finish()
    assert all(event.text for event in events)
    thinking = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
    return thinking, "".join(event.text for event in events if isinstance(event, TextDelta))


EXAMPLES = [
    ("<think>a<b</think>\n\ntext", "a<b", "text"),
    ("\n<think>\na</think>text</think>", "a", "text</think>"),
    ("<think></think>text", "", "text"),
    ("<thinking>x", "", "<thinking>x"),
    ("  text <think>no</think>", "", "  text <think>no</think>"),
    ("<think>never closed </thi", "never closed </thi", ""),
    ("<thi", "", "<thi"),
    ("", "", ""),
]


@given(st.sampled_from(EXAMPLES), st.lists(st.integers(0, 30)))
def test_any_split_gives_the_same(example: tuple[str, str, str], cuts: list[int]) -> None:
    whole, thinking, text = example
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    assert told_apart([whole[a:b] for a, b in pairwise(places)]) == (thinking, text)


@pytest.mark.parametrize("whole", ["<think>x</think>", "text"])
def test_what_is_gone_on_from_is_text(whole: str) -> None:
    assert told_apart([whole], may_think=False) == ("", whole)
