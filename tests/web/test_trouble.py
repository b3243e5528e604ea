"""An answer that waits after a failure: the page says why and until when, and offers not to wait."""

import asyncio
import re

from tests.web.visitor import Visitor, poller_in

BUSY = "hello {} [[tokens=3 fault=status:429:60 times=1]]"


async def in_trouble(person: Visitor, number: int) -> tuple[str, str]:
    """Path and page of the conversation, once the first try has failed."""
    path = await person.ask(BUSY.format(number))
    for _ in range(200):
        page = (await person.get(path)).text
        if "trouble" in page:
            return path, page
        await asyncio.sleep(0.02)
    raise AssertionError(page)


async def test_the_servers_own_words_are_for_administrators(alice: Visitor, dana: Visitor) -> None:
    for number, person in enumerate((alice, dana), 10):
        path, page = await in_trouble(person, number)
        assert "The model server is busy." in page
        assert ("Ollama is busy: scripted 429" in page) == (person is dana)
        (deed,) = re.findall(r'action="(/c/[^"]+/try-now)"', page)
        await person.post(deed)
        await person.follow(path)


async def test_the_page_says_why_it_waits_and_when_it_is_tried_again(alice: Visitor) -> None:
    path, page = await in_trouble(alice, 1)
    assert "The model server is busy." in page
    assert re.search(r"It is tried again in (60|5\d) seconds\.", page)
    (deed,) = re.findall(r'action="(/c/[^"]+/try-now)"', page)
    await alice.post("/settings/language", locale="zh-CN")
    assert "模型服务正忙" in (await alice.get(path)).text
    await alice.post("/settings/language", locale="en")
    answer = await alice.post(deed)  # as a form without scripts
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    await alice.follow(path)
    assert "trouble" not in (await alice.get(path)).text


async def test_the_fragment_says_it_too_and_the_button_moves_nothing(alice: Visitor) -> None:
    path, page = await in_trouble(alice, 2)
    poller = poller_in(page)
    assert poller is not None
    fragment = (await alice.get(poller, target="")).text
    assert "The model server is busy." in fragment and "try-now" in fragment
    (deed,) = re.findall(r'hx-post="(/c/[^"]+/try-now)"', fragment)
    assert (await alice.post(deed, target="")).status_code == 204
    await alice.follow(path)
