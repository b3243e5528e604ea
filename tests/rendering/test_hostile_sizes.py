"""Texts made to take long take no longer than others of their size: counted in calls, which every machine has alike."""

import sys
import time
from collections.abc import Callable
from types import FrameType

import pytest

from app.rendering import StreamingRenderer
from app.rendering.pipeline import ALLOWANCE, EXPANSION, render_uncached

SHAPES = (
    *("[", "![", "*a_", "`", ">", "> ", "- ", "-\n", "|", "$", "~~", "~", "mailto:", "http://", "https://a.b/(", "://"),
    *(
        "a@",
        "a@b.c ",
        "<!--",
        "<http://",
        "<a@b",
        "<?",
        "**a ",
        "**a*",
        "_a __b",
        "***",
        "](",
        "[a](",
        "[a](<",
        "[[a]]",
    ),
    *(
        "[a][b]",
        '[a](b "',
        "[^1] ",
        "[^1]: a\n\n",
        "[a]: b\n",
        '[a]: b "c\n',
        "[a]: \n",
        "[a\n",
        "&",
        "&#",
        "&amp;",
        "\\",
    ),
    *(
        "\\[ ",
        "\\[ a\n",
        "\\( a",
        "\\(a\\)",
        "$a",
        "$a$ ",
        "$$ a\n",
        "$$\na\n",
        "- \\[ a\n",
        "- $$ a\n",
        "$`",
        "- [ ] a\n",
    ),
    *(
        "- a\n\n",
        "1. a\n",
        "1. 2. ",
        "- - ",
        ">- ",
        "a|b\n",
        "a|b\n-|-\n",
        "||||\n|-|-|-|\n",
        "|a\n",
        "a\n===\n",
        "***\n",
    ),
    *(
        "# a\n",
        "    a\n\n",
        "\t",
        " ",
        "\n",
        "a\n",
        "a\\\n",
        "a  \n",
        "a\u0301",
        "\u200d",
        "\ufdfa",
        "\x00",
        "\ud800",
        "🍵",
    ),
    *("```\n", "~~~\na\n", "``` `\n", "`a``b```", "(http://a.b)", "a.b.c.", "x" * 5000),
)
LINE = "x" * 1_000_000
NESTED = "".join("  " * depth + "- a\n" for depth in range(300))
BRACES = "$" + "{" * 1000 + "}" * 1000 + "$ "
EMPTY_ROWS = "|" * 301 + "\n|" + "-|" * 300 + "\n" + "|\n" * 1000 + "\n"
LEXERS = "".join(f"```{name}\n{part * (8000 // len(part))}\n```\n" for name, part in (("perl", "s{"), ("xml", "<!--")))


def calls(work: Callable[[], object]) -> int:
    count = 0

    def profile(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def text_of(shape: str, size: int) -> str:
    return (shape * (size // len(shape) + 1))[:size]


@pytest.mark.parametrize("shape", SHAPES)
def test_A57_twice_the_text_takes_about_twice_the_calls(shape: str) -> None:
    render_uncached("warm [up](http://a.b) $x$\n\n```\nx\n```\n")
    small, big = text_of(shape, 1500), text_of(shape, 3000)
    first = calls(lambda: render_uncached(small))
    second = calls(lambda: render_uncached(big))
    assert second < 2.6 * first + 3000


@pytest.mark.parametrize("shape", SHAPES)
def test_the_html_stays_within_its_budget(shape: str) -> None:
    text = text_of(shape, 9_000)
    assert sum(map(len, render_uncached(text))) <= EXPANSION * len(text) + ALLOWANCE


@pytest.mark.parametrize(
    "shape", [LINE, NESTED, BRACES, EMPTY_ROWS, LEXERS, "![", "- a\n", "**_", "'", "$a$ ", "a|b\n-|-\n"]
)
def test_a_hundred_thousand_characters_take_less_than_two_seconds(shape: str) -> None:
    text = shape if shape is LINE else text_of(shape, 100_000)
    began = time.thread_time()
    blocks = render_uncached(text)
    assert time.thread_time() - began < 2 * slowness()
    assert sum(map(len, blocks)) <= EXPANSION * len(text) + ALLOWANCE


def slowness() -> float:
    """How much slower this machine is at the moment than one on which a million additions take 0.1 seconds."""
    began = time.thread_time()
    total = 0
    for number in range(1_000_000):
        total += number
    return max(1.0, (time.thread_time() - began) / 0.1)


@pytest.mark.parametrize(
    "shape", ["[", "![", "- a\n", "> a\n", "\n", "$$ a\n", "\\[ a\n", "a|b\n-|-\n", "```\n", "**a "]
)
def test_a_stream_of_it_takes_a_bounded_multiple(shape: str) -> None:
    text = text_of(shape, 2_500)

    def stream() -> None:
        renderer = StreamingRenderer()
        for at in range(0, len(text), 100):
            renderer.feed(text[at : at + 100])
        renderer.finish()

    stream()
    assert calls(stream) < 9 * calls(lambda: render_uncached(text)) + 50_000
