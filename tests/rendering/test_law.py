"""For any text cut anywhere, streaming it piece by piece ends in the same blocks as rendering it whole."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rendering import StreamingRenderer, Update, pipeline, streaming
from app.rendering.pipeline import render_uncached
from app.rendering.source import Cleaner, clean_text
from tests.effort import effort
from tests.rendering.corpus import chapters, examples

EXAMPLES = examples()
FRAGMENTS = (
    *(
        "a",
        "b ",
        "\n",
        "\n",
        "\n\n",
        "- x",
        "1. y",
        "> q",
        "```",
        "```py\n",
        "~~~",
        "`",
        "*",
        "**",
        "_",
        "# h",
        "===",
        "---",
    ),
    *(
        "|a|b|",
        "\n|a|b|\n|-|-|\n",
        "    code",
        "\t",
        "[x](http://a.b)",
        "[^1]",
        "[^1]: note",
        "[r]: http://x.y",
        "[r]",
        "$x$",
    ),
    *(
        "$$",
        "\\[",
        "\\]",
        "\n\\[\n",
        "\n$$\n",
        "\n\n$$\n\n",
        "\n- $$\n\n",
        "\n\\begin{align}\n",
        "\n\\end{align}\n",
        "~~",
        "  \n",
        "\r\n",
        "\r",
        "é",
        "🍵",
        "<b>",
        "&amp;",
        "!",
        "http://a.bc",
    ),
    *(
        "\ufeff",
        "\0",
        "\ud800",
        "  ",
        "- [ ] t",
        "^[n]",
        "* * *\n",
        "\x0c",
        "\u2028",
        "   - z\n",
        "+ p\n",
        "2) n\n",
        "]:",
        ":",
    ),
    *("茶", "「", "」**", "。", "한", "\n한", "茶\n茶", "https://a.b/c，", "\u2019"),
)


class Viewer:
    """Somebody who has only the updates."""

    def __init__(self) -> None:
        self.blocks: list[str] = []

    def take(self, update: Update) -> None:
        assert update.from_ <= len(self.blocks)
        self.blocks[update.from_ :] = update.blocks


def streamed(pieces: Iterable[str]) -> list[str]:
    renderer, viewer = StreamingRenderer("m-1-"), Viewer()
    for piece in pieces:
        viewer.take(renderer.feed(piece))
    viewer.take(renderer.finish())
    assert viewer.blocks == renderer.blocks
    return viewer.blocks


def whole(text: str) -> list[str]:
    return render_uncached(text, id_prefix="m-1-")


def test_there_are_many_examples() -> None:
    assert len(EXAMPLES) > 300


@pytest.mark.parametrize("start", range(0, len(EXAMPLES), 20))
def test_the_law_holds_for_every_example_cut_at_every_position(start: int) -> None:
    for text in EXAMPLES[start : start + 20]:
        expected = whole(text)
        for cut in range(len(text) + 1):
            assert streamed((text[:cut], text[cut:])) == expected, (text, cut)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_the_law_holds_for_every_chapter_in_pieces_of_one_size(size: int) -> None:
    for text in chapters().values():
        assert streamed(text[at : at + size] for at in range(0, len(text), size)) == whole(text)


def test_the_law_holds_for_everything_at_once() -> None:
    text = "\n\n".join(chapters().values())
    assert streamed(text[at : at + 5] for at in range(0, len(text), 5)) == whole(text)


def test_the_law_holds_for_chapters_without_definitions_which_are_never_rendered_twice() -> None:
    """With a definition the end is rendered whole; without one it is put together from what was shown."""
    for text in chapters().values():
        text = text.replace("]:", "] :")
        assert streamed(text[at : at + 3] for at in range(0, len(text), 3)) == whole(text)


@settings(max_examples=effort(100, 2500), derandomize=True, deadline=None, database=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=24), st.integers(0, 2**32), st.booleans())
def test_the_law_holds_for_any_text_and_any_cuts(fragments: list[str], seed: int, defines: bool) -> None:
    text = "".join(fragments)
    text = text if defines else text.replace("]:", "] :")
    cuts = random.Random(seed)
    pieces = []
    at = 0
    while at < len(text):
        size = cuts.randint(1, 9)
        pieces.append(text[at : at + size])
        at += size
    assert streamed(pieces) == whole(text)


@settings(max_examples=effort(100, 1500), derandomize=True, deadline=None, database=None)
@given(st.text(max_size=120), st.integers(1, 8))
def test_the_law_holds_for_any_characters(text: str, size: int) -> None:
    assert streamed(text[at : at + size] for at in range(0, len(text), size)) == whole(text)


@settings(max_examples=effort(100, 1500), derandomize=True, deadline=None, database=None)
@given(st.lists(st.sampled_from(["\r", "\n", "\0", "\ufeff", "\ud800", "\udc00", "a", "🍵"]), max_size=12))
def test_text_is_cleaned_alike_however_it_is_cut(chars: list[str]) -> None:
    cleaner = Cleaner()
    assert "".join([*map(cleaner.feed, chars), cleaner.finish()]) == clean_text("".join(chars))


def test_an_empty_stream_ends_in_nothing() -> None:
    assert streamed([]) == streamed(["", ""]) == whole("") == []
    assert streamed([" ", "\n", "\t"]) == whole(" \n\t") == []


def test_the_law_holds_beyond_the_ceiling_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pipeline, streaming):
        monkeypatch.setattr(module, "MAX_RENDERED", 100_000)
    text = "some *words* here\n\n" * 6000 + "end"
    blocks = streamed(text[at : at + 999] for at in range(0, len(text), 999))
    assert blocks == whole(text)
    assert blocks[-1].endswith("end</pre>\n")
