"""Inline thinking, with its tags split anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.events import ThinkingDelta, WasThinking
from app.providers.thinking import InlineThinking


def told_apart(pieces: list[str], *, may_think: bool = True) -> tuple[str, str]:
    inline = InlineThinking(may_think=may_think)
    thinking = text = ""
    for event in [*(event for piece in pieces for event in inline.feed(piece)), *inline.finish()]:
        assert event.text
        if isinstance(event, WasThinking):
            assert event.text == text and not thinking
            thinking, text = text, ""
        elif isinstance(event, ThinkingDelta):
            thinking += event.text
        else:
            text += event.text
    return thinking, text


EXAMPLES = [
    ("<think>a<b</think>\n\ntext", "a<b", "text"),
    ("\n<think>\na</think>text</think>", "a", "text</think>"),
    ("<think></think>text", "", "text"),
    ("<thinking>\nx</thinking>text", "x", "text"),
    ("[THINK]a[b]</think>[/THINK]text", "a[b]</think>", "text"),
    ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>text", "a", "text"),
    ("<|channel|>final<|message|>text", "", "text"),
    ("<think>a</think>\n<think>b</think>\n\ntext", "ab", "text"),
    ("<think>a</think>\n\n", "a", ""),
    ("a\n</think>\n\ntext", "a\n", "text"),
    ("[a]\n[/THINK]\ntext\n</think>\n", "[a]\n", "text\n</think>\n"),
    ("a\n</think>", "a\n", ""),
    ("`</think>` closes\n</think>it\n", "", "`</think>` closes\n</think>it\n"),
    ("```\n</think>\n```\n", "", "```\n</think>\n```\n"),
    ("</think>\n", "", "</think>\n"),
    ("<|channel|>unknown", "", "<|channel|>unknown"),
    ("  text <think>no</think>", "", "  text <think>no</think>"),
    ("<think>never closed </thi", "never closed </thi", ""),
    ("<thi", "", "<thi"),
    ("", "", ""),
]


@given(st.sampled_from(EXAMPLES), st.lists(st.integers(0, 90)))
def test_any_split_gives_the_same(example: tuple[str, str, str], cuts: list[int]) -> None:
    whole, thinking, text = example
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    assert told_apart([whole[a:b] for a, b in pairwise(places)]) == (thinking, text)


@pytest.mark.parametrize("whole", ["<think>x</think>", "text"])
def test_what_is_gone_on_from_is_text(whole: str) -> None:
    assert told_apart([whole], may_think=False) == ("", whole)
