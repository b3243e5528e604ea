"""What is shown while an answer is being written, and how often anything is rendered for it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.rendering import StreamingRenderer, markdown, streaming
from tests.benchmarks import bench_rendering
from tests.rendering.undirected import undirected


def letters(text: str, size: int = 1) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def shown(text: str, size: int = 1) -> list[str]:
    renderer = StreamingRenderer()
    for piece in letters(text, size):
        renderer.feed(piece)
    return list(map(undirected, renderer.blocks))


class Count:
    """Characters handed to the parsers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.characters = 0
        for parser in (markdown.parser(), markdown.cut_parser()):
            self._count(monkeypatch, parser, parser.core.process)

    def _count(self, monkeypatch: pytest.MonkeyPatch, parser: Any, process: Callable[[Any], None]) -> None:
        def counted(state: Any) -> None:
            self.characters += len(state.src)
            process(state)

        monkeypatch.setattr(parser.core, "process", counted)


def test_an_update_tells_what_to_drop_and_what_to_append() -> None:
    renderer = StreamingRenderer()
    for piece, from_, blocks in (
        ("first", 0, ["<p>first</p>\n"]),
        ("\n\nsec", 0, ["<p>first</p>\n", "<p>sec</p>\n"]),
        ("ond", 1, ["<p>second</p>\n"]),
    ):
        update = renderer.feed(piece)
        assert (update.from_, list(map(undirected, update.blocks))) == (from_, blocks)
    renderer.finish()
    assert list(map(undirected, renderer.blocks)) == ["<p>first</p>\n", "<p>second</p>\n"]


def test_a_closed_block_is_never_touched_again() -> None:
    renderer = StreamingRenderer()
    renderer.feed("first\n\n")
    renderer.feed("second")
    closed = renderer.blocks[0]
    for letter in " and *more*\n\n- third\n- fourth\n\n```\ncode\n```\n":
        assert renderer.feed(letter).from_ >= 1
        assert renderer.blocks[0] is closed


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("some **bold wor", "<strong>bold wor</strong>"),
        ("some *it", "<em>it</em>"),
        ("some `co", "<code>co</code>"),
        ("some ~~str", "<s>str</s>"),
        ("```python\nx = 1\n", '<code class="language-python">x = 1\n</code>'),
        ("~~~\n<b>", "&lt;b&gt;</code></pre></div>"),
        ("# Head", "<h1>Head</h1>"),
    ],
)
def test_what_is_open_is_closed_for_display(text: str, html: str) -> None:
    assert html in "".join(shown(text, len(text)))


def test_plain_words_are_shown_as_soon_as_they_come() -> None:
    renderer = StreamingRenderer()
    renderer.feed("A paragraph of *some* length that has been rendered ")
    for word in ("and", " goes", " on, well-known", " & plain"):
        renderer.feed(word)
    assert list(map(undirected, renderer.blocks)) == [
        "<p>A paragraph of <em>some</em> length that has been rendered and goes on, well-known &amp; plain</p>\n"
    ]


def test_an_open_fence_is_neither_highlighted_nor_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    count = Count(monkeypatch)
    blocks = shown("```python\n" + "value = 1\n" * 5000, 50)
    assert len(blocks) == 1
    assert blocks[0].count("value = 1\n") == 5000
    assert count.characters < 200


def test_a_closed_fence_is_highlighted_once_the_next_line_begins() -> None:
    blocks = shown("```python\nprint(1)\n```\n\ntext")
    assert '<span class="nb">print</span>' in blocks[0]
    assert blocks[1] == "<p>text</p>\n"


def test_a_long_list_stays_one_list_while_it_grows() -> None:
    blocks = shown("".join(f"{n}. item **{n}** of `many` words\n" for n in range(1, 80)), 7)
    assert len(blocks) == 1
    assert blocks[0].count("<ol>") == blocks[0].count("</ol>") == 1
    assert blocks[0].count("<li>") >= 78


def test_a_list_of_another_kind_is_another_list() -> None:
    blocks = shown("".join(f"{'-+'[n % 2]} item {n} of a list of kinds\n" for n in range(40)), 9)
    assert "".join(blocks).count("<ul>") == "".join(blocks).count("</ul>") > 30


@pytest.mark.parametrize(
    "line",
    [
        "Some *words* of a paragraph, and `code` too. ",
        "some words on a line\n",
        "- item with some words\n",
        "- item with some words\n\n",
        "1. item\n\n   more of it\n\n",
        "> words of a quotation\n",
        "> words\n\n",
        "| a | b |\n",
        "| a | b |\n|---|---|\n| c | d |\n\n",
        "a\n# b\n",
        "a\n# b\n$$\n",
        "\\[ a\n",
        "$$\nx^2\n$$\n",
        "$$\nx^2\n$$\n\n",
        "$$\n\nx^2\n\n$$\n\n",
        "$$\n\nsome words\n\n",
        "\\begin{align}\na &= b\n",
        "- a\n\n1. b\n\n",
        "- a\n  - b\n    - c\n",
        "- ```\n  x\n\n  y\n  ```\n",
        "[a]: http://x.y\n\n",
        "\n",
        "\tcode\n",
        "```\nx\n```\n",
        "# h\n",
    ],
)
def test_the_work_is_in_proportion_to_the_text(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    count = Count(monkeypatch)
    work = []
    for size in (4_000, 12_000):
        count.characters = 0
        shown((line * size)[:size], 25)
        work.append(count.characters / size)
    assert work[1] < 12
    assert work[1] < 1.6 * work[0] + 1


def test_an_answer_in_four_hundred_pieces_takes_at_most_four_times_as_much_as_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In characters rendered, which no busy machine changes; the benchmark says it in time."""
    count = Count(monkeypatch)
    text = (bench_rendering.PARAGRAPH * 12)[:8192]
    renderer = StreamingRenderer()
    for piece in letters(text, 21):
        renderer.feed(piece)
    renderer.finish()
    assert count.characters < 4 * len(text)


def test_the_benchmark_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_rendering, "HOSTILE_CHARACTERS", 1_000)
    assert bench_rendering.run()["stream_ratio"] > 0


def test_beyond_the_ceiling_only_the_last_block_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_RENDERED", 10_000)
    renderer = StreamingRenderer()
    renderer.feed("x" * 10_000)
    renderer.feed("y" * 1000)
    for _ in range(29):
        update = renderer.feed("y" * 1000)
        assert sum(map(len, update.blocks)) < 20_000
    assert "".join(renderer.blocks).count("y") == 30_000
