"""Twice the text takes at most 2.2 times the work, whole and streamed; and no text becomes more than it may.

Counted in calls and in bytes allocated, which every machine has alike.
"""

import random
import re
import tracemalloc
from collections.abc import Callable

import pytest

from app.rendering import StreamingRenderer, open_inline, pipeline
from app.rendering.highlight import highlight
from app.rendering.markdown import parser
from app.rendering.output import TooMuch, bounded_html
from app.rendering.pipeline import ALLOWANCE, EXPANSION, render_uncached
from tests.effort import IS_CAMPAIGN, effort
from tests.rendering.corpus import chapters
from tests.rendering.families import FAMILIES, Family, filled, repeated
from tests.rendering.test_hostile_sizes import SHAPES, calls
from tests.rendering.test_law import FRAGMENTS, streamed, whole

GROWTH = 2.2
PIECE = 50
# A growing block is rendered anew whenever it is a quarter longer: sizes within a quarter, added up, hide those steps.
PHASES = (1.0, 1.06, 1.12, 1.19) if IS_CAMPAIGN else (1.0, 1.12)
BOMB = 49_000
USES = effort(500, 16_333)

# What a stream of each change is tried with: blank lines, words and lists take ways of their own.
STREAMED = ("a list that ends in blank lines", "plain words in a label", "one definition, many uses", "a long table")

BOMBS = {
    "an address": "[a]: https://x/" + "l" * BOMB + "\n\n" + "[a]" * USES,
    "an address that is encoded": "[a]: https://x/" + "茶" * (BOMB // 9) + "\n\n" + "[a]" * USES,
    "an image": "[a]: https://x/" + "l" * BOMB + "\n\n" + "![a]" * USES,
    "a host": "[a]: https://" + "l" * 1900 + "/\n\n" + "![a]" * USES,
    "a title": '[a]: https://x "' + "l" * BOMB + '"\n\n' + "[a]" * USES,
    "a title of entities": '[a]: https://x "' + "&amp;" * (BOMB // 5) + '"\n\n' + "[a]" * USES,
    "an address of the longest": "[a]: https://x/" + "l" * 1900 + "\n\n" + "[a]" * USES,
    "paragraphs": "[a]: https://x/" + "l" * 1900 + "\n\n" + ("[a]" * 30 + "\n\n") * (USES // 30),
}


def stream(text: str) -> None:
    renderer = StreamingRenderer()
    for at in range(0, len(text), PIECE):
        renderer.feed(text[at : at + PIECE])
    renderer.finish()


def work(render: Callable[[str], object], text: str) -> int:
    highlight.cache_clear()
    return calls(lambda: render(text))


def assert_linear(render: Callable[[str], object], family: Family, size: int, phases: tuple[float, ...]) -> None:
    render("warm [up](http://a.b) $x$\n\n```python\nx\n```\n")
    sizes = [int(size * phase) for phase in phases]
    once = sum(work(render, family(size)) for size in sizes)
    twice = sum(work(render, family(2 * size)) for size in sizes)
    assert twice <= GROWTH * once + 2_000, (twice / once, once)


@pytest.mark.parametrize("name", FAMILIES)
def test_twice_the_text_takes_twice_the_work(name: str) -> None:
    assert_linear(render_uncached, FAMILIES[name], effort(300, 8_000), (1.0,))


@pytest.mark.campaign
@pytest.mark.parametrize("name", list(FAMILIES) if IS_CAMPAIGN else STREAMED)
def test_a_stream_of_twice_the_text_takes_twice_the_work(name: str) -> None:
    assert_linear(stream, FAMILIES[name], effort(400, 3_000), PHASES)


@pytest.mark.campaign
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if len(shape) < 1000][:: effort(25, 1)])
def test_a_stream_of_twice_the_shape_takes_twice_the_work(shape: str) -> None:
    assert_linear(stream, repeated(shape), effort(1_200, 2_000), PHASES)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(effort(4, 400)))
def test_twice_a_text_of_any_shape_takes_twice_the_work(seed: int) -> None:
    chance = random.Random(seed)
    first, second = ("".join(chance.choices(FRAGMENTS, k=chance.randint(1, 3))) for _ in range(2))

    def family(size: int) -> str:
        return filled(first, size // 2) + filled(second, size // 2)

    assert_linear(render_uncached, family, effort(500, 4_000), (1.0,))
    text = family(effort(600, 2_000))
    assert work(stream, text) <= 20 * work(render_uncached, text) + 50_000


@pytest.mark.campaign
@pytest.mark.parametrize("name", BOMBS)
def test_one_definition_used_often_takes_little_memory(name: str) -> None:
    text = BOMBS[name]
    render_uncached("warm [up](http://a.b)")
    tracemalloc.start()
    blocks = render_uncached(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < effort(8, 80) * 1024 * 1024
    assert sum(map(len, blocks)) <= EXPANSION * len(text) + ALLOWANCE


@pytest.mark.parametrize("name", list(BOMBS) if IS_CAMPAIGN else ["an address", "paragraphs"])
def test_nothing_that_a_stream_shows_is_larger_than_it_may_be_in_the_end(name: str) -> None:
    text = BOMBS[name] + "\n\nend"
    renderer = StreamingRenderer("m-1-")
    for end in range(2_000, len(text) + 2_000, 2_000):
        renderer.feed(text[end - 2_000 : end])
        assert sum(map(len, renderer.blocks)) <= EXPANSION * end + ALLOWANCE
    renderer.finish()
    assert renderer.blocks == whole(text) == streamed([text])


def test_a_block_that_is_being_written_has_the_room_that_those_above_it_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "ALLOWANCE", 2_000)
    text = "$x$\n\n" * 60 + "- $y$\n" * 40
    renderer = StreamingRenderer()
    for end in range(60, len(text) + 60, 60):
        renderer.feed(text[end - 60 : end])
        assert sum(map(len, renderer.blocks)) <= EXPANSION * end + 2_000


def test_rendering_stops_when_the_room_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = 0

    def link(*_: object) -> str:
        nonlocal rendered
        rendered += 1
        return "x" * 100

    monkeypatch.setitem(parser().renderer.rules, "link_open", link)
    tokens = parser().parse("[a](https://x) " * 1000)
    with pytest.raises(TooMuch):
        bounded_html(parser(), tokens, {}, 1000)
    assert rendered < 11


def test_bounded_html_is_what_the_library_renders() -> None:
    text = "\n\n".join(chapters().values())
    env: dict[str, object] = {}
    tokens = parser().parse(text, env)
    assert bounded_html(parser(), tokens, env, 10**7) == parser().renderer.render(tokens, parser().options, env)


class Reading:
    """A pattern that counts the characters it reads."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.characters = 0
        self._pattern = pattern

    def fullmatch(self, text: str, start: int) -> re.Match[str] | None:
        found = self._pattern.fullmatch(text, start)
        self.characters += found.end() - start + 1 if found else 1
        return found


@pytest.mark.parametrize("name", ["plain words", "plain words in a label"])
def test_plain_words_are_read_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(open_inline._WORDS)
    monkeypatch.setattr(open_inline, "_WORDS", reading)
    text = FAMILIES[name](20_000)
    stream(text)
    assert 0.9 * len(text) < reading.characters < 1.2 * len(text)
