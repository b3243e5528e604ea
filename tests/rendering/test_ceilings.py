"""However much a text is or would become: bounded, shown in full, and never a fault."""

import re
import threading
from pathlib import Path

import pytest

from app.rendering import StreamingRenderer, pipeline, render_blocks, render_markdown
from app.rendering.cache import BlockCache
from app.rendering.markdown import parser
from app.rendering.pipeline import ALLOWANCE, EXPANSION, render_uncached
from app.rendering.source import PLAIN_BLOCK, as_text
from tests.rendering.audit import faults
from tests.rendering.undirected import undirected

MAX_RENDERED = 10_000


def test_what_follows_the_ceiling_is_shown_as_it_is_in_blocks_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MAX_RENDERED", MAX_RENDERED)
    rest = "**bold** <b>\n" * 2000
    blocks = list(map(undirected, render_blocks("a *b*\n\n" + "x" * (MAX_RENDERED - 7) + rest)))
    assert blocks[0] == "<p>a <em>b</em></p>\n"
    assert all(block.startswith('<pre class="unformatted">') and len(block) < 2 * PLAIN_BLOCK for block in blocks[2:])
    shown = "".join(block.removeprefix('<pre class="unformatted">').removesuffix("</pre>\n") for block in blocks[2:])
    assert shown.replace("&lt;", "<").replace("&gt;", ">") == rest


def test_html_comes_to_at_most_ten_times_its_source_and_an_allowance() -> None:
    text = "$x$\n\n" * 15_000
    blocks = render_uncached(text)
    assert sum(map(len, blocks)) <= EXPANSION * len(text) + ALLOWANCE
    assert undirected(blocks[0]).startswith('<p><span class="math">')
    assert undirected(blocks[-1]) == '<pre class="unformatted">$x$\n\n</pre>\n'
    assert len(blocks) == 15_000


def test_the_budget_is_the_same_for_a_stream() -> None:
    text = "$x$\n\n" * 6_000
    renderer = StreamingRenderer()
    for at in range(0, len(text), 777):
        renderer.feed(text[at : at + 777])
    renderer.finish()
    assert renderer.blocks == render_uncached(text)


def test_footnotes_beyond_the_budget_make_the_whole_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "ALLOWANCE", 0)
    text = "[^1]\n\n[^1]: " + "$x$ " * 100
    (block,) = render_uncached(text)
    assert undirected(block).startswith('<pre class="unformatted">[^1]')


@pytest.mark.parametrize("fault", [RuntimeError, RecursionError, IndexError, AssertionError])
def test_any_fault_ends_as_escaped_text(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object) -> None:
        raise fault

    monkeypatch.setattr(parser(), "parse", parse, raising=True)
    assert render_uncached("<b>*x*</b>") == [as_text("<b>*x*</b>")]
    renderer = StreamingRenderer()
    for piece in ("<b>*x*", "</b>\n\n", "- a\n\nb"):
        assert all(faults(block) == [] for block in renderer.feed(piece).blocks)
    renderer.finish()
    assert renderer.blocks == [as_text("<b>*x*</b>\n\n- a\n\nb")]


def test_what_was_rendered_is_kept_by_text_and_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "kept *once*"
    first = render_blocks(text, id_prefix="m-1-")
    monkeypatch.setattr(pipeline, "render_uncached", lambda *_, **__: ["anew"])
    assert render_blocks(text, id_prefix="m-1-") == first
    assert render_blocks(text, id_prefix="m-2-") == ["anew"]
    assert render_markdown("another", id_prefix="m-1-") == "anew"


def test_what_a_stream_ended_in_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = StreamingRenderer("m-3-")
    renderer.feed("streamed *and* kept")
    renderer.finish()
    monkeypatch.setattr(pipeline, "render_uncached", lambda *_, **__: ["anew"])
    assert render_blocks("streamed *and* kept", id_prefix="m-3-") == renderer.blocks


def test_whoever_gets_a_kept_list_may_change_it() -> None:
    render_blocks("mine").append("yours")
    assert undirected("".join(render_blocks("mine"))) == "<p>mine</p>\n"


def test_the_cache_is_bounded_and_drops_what_was_shown_longest_ago() -> None:
    cache = BlockCache(limit=3 * 1400)
    for name in "abc":
        cache.put(name, "", [name * 1000])
    assert cache.get("a", "") == ["a" * 1000]
    cache.put("d", "", ["d" * 1000])
    assert cache.get("b", "") is None
    assert cache.get("a", "") and cache.get("c", "") and cache.get("d", "")
    cache.put("e", "", ["e" * 10_000])
    assert cache.get("e", "") is None
    assert cache.size <= 3 * 1400


def test_many_threads_render_the_same_as_one() -> None:
    texts = [f"# {n}\n\nhttps://a.example/{n} *b* $x_{n}$\n\n- a@b{n}.org\n" for n in range(40)]
    expected = [render_uncached(text) for text in texts]
    wrong: list[str] = []

    def work() -> None:
        wrong.extend(text for text, blocks in zip(texts, expected, strict=True) if render_blocks(text) != blocks)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("name", ["unformatted", "uncoloured"])
def test_what_is_past_a_limit_says_so_in_both_languages(name: str) -> None:
    styles = Path("static/css/prose.css").read_text(encoding="utf-8")
    assert len(re.findall(rf'\.prose \.{name}(?:|:lang\(zh\))::\w+ \{{\s+content: "[^"]+";', styles)) == 2
