"""A fragment is what its page has in that place; errors have a place of their own."""

import re

import pytest

from app.web.templates import environment
from tests.api.serving import Served, titles_are_made
from tests.web.visitor import MISSING, Visitor, without_tokens

PAGES_WITH_BLOCKS = [("", "chat"), ("?before={last}", "earlier")]


@pytest.mark.parametrize(("query", "block"), PAGES_WITH_BLOCKS)
async def test_a_fragment_is_a_part_of_its_page(query: str, block: str, alice: Visitor, served: Served) -> None:
    path = await alice.answered("Some *Markdown* & <more> [[tokens=30]]")
    await alice.post(f"{path}/messages", content="Again [[tokens=3]]")
    await alice.follow(path)
    await titles_are_made(served)
    page = (await alice.get(path)).text
    last = re.findall(r'<article id="message-([^"]+)"', page)[-1]
    address = path + query.format(last=last)
    fragment, page = (await alice.get(address, target=block)).text, (await alice.get(address)).text
    assert len(fragment) > 200 and "<html" not in fragment
    assert without_tokens(fragment) in without_tokens(page)


@pytest.mark.parametrize("target", ["messages", "sidebar", "main", "title", "", "chat#chat", "nothing"])
async def test_another_target_gets_the_page(target: str, alice: Visitor) -> None:
    path = await alice.answered()
    assert "<html" in (await alice.get(path, target=target)).text


async def test_an_error_goes_to_its_own_place(alice: Visitor) -> None:
    part = await alice.get(f"/c/{MISSING}", target="chat")
    assert part.status_code == 404 and "<html" not in part.text
    assert (part.headers["hx-retarget"], part.headers["hx-reswap"]) == ("#toasts", "innerHTML")
    whole = await alice.get(f"/c/{MISSING}")
    assert "<html" in whole.text and "There is nothing here" in whole.text


def test_all_templates_compile_and_none_evaluates() -> None:
    names = [name for name in environment.list_templates() if not name.startswith("api/")]
    assert len(names) > 20
    for name in names:
        environment.get_template(name)
        source, *_ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        assert not re.search(r"hx-on|js:|javascript:|\sstyle=|<style|\son[a-z]+=|hx-trigger=\"[^\"]*\[", source), name
        assert source.count("| safe") == source.count("| safe_html"), name
        assert not re.search(r"<script(?![^>]*\ssrc=)", source), name
