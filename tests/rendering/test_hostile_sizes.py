"""Texts made to take long take no longer than others of their size: counted in calls, which every machine has alike."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from app.rendering import StreamingRenderer
from app.rendering.pipeline import ALLOWANCE, EXPANSION, render_uncached
from tests.effort import effort

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

WORST = (LINE, NESTED, BRACES, EMPTY_ROWS, LEXERS, "![", "- a\n", "**_", "'", "$a$ ", "a|b\n-|-\n")


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
    small, big = text_of(shape, 1000), text_of(shape, 2000)
    first = calls(lambda: render_uncached(small))
    second = calls(lambda: render_uncached(big))
    assert second <= 2.2 * first + 2000


@pytest.mark.parametrize("shape", SHAPES)
def test_the_html_stays_within_its_budget(shape: str) -> None:
    text = text_of(shape, 9_000)
    assert sum(map(len, render_uncached(text))) <= EXPANSION * len(text) + ALLOWANCE


@pytest.mark.campaign
@pytest.mark.parametrize("shape", WORST)
def test_much_of_it_stays_within_the_budget(shape: str) -> None:
    """How many seconds they take is told by `make bench`."""
    text = text_of(shape, effort(30_000, 100_000))
    assert sum(map(len, render_uncached(text))) <= EXPANSION * len(text) + ALLOWANCE


@pytest.mark.campaign
@pytest.mark.parametrize("shape", [shape for shape in WORST if len(shape) < 1000])
def test_much_of_it_is_linear_too(shape: str) -> None:
    size = effort(4_000, 8_000)
    first = calls(lambda: render_uncached(text_of(shape, size)))
    second = calls(lambda: render_uncached(text_of(shape, 2 * size)))
    assert second <= 2.2 * first + 2000


@pytest.mark.parametrize(
    "shape", ["[", "![", "- a\n", "> a\n", "\n", "$$ a\n", "\\[ a\n", "a|b\n-|-\n", "```\n", "**a "]
)
def test_a_stream_of_it_takes_a_bounded_multiple(shape: str) -> None:
    text = text_of(shape, 1_500)

    def stream() -> None:
        renderer = StreamingRenderer()
        for at in range(0, len(text), 100):
            renderer.feed(text[at : at + 100])
        renderer.finish()

    stream()
    assert calls(stream) < 9 * calls(lambda: render_uncached(text)) + 50_000
