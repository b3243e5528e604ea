"""Follow an answer, stop it, go on, ask for another."""

import asyncio
import re

import httpx
import pytest

from tests.api.serving import Served
from tests.model_server import answer_for
from tests.web.visitor import MISSING, Visitor, htmx, ids_in, poller_in

SLOW = "Slowly, please [[tokens=40 rate=40]]"


def text_of(fragments: list[str]) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", " ".join(fragments))


async def test_the_poller_brings_the_answer_and_ends_with_it(alice: Visitor) -> None:
    path = await alice.ask(SLOW)
    fragments = await alice.follow(path)
    assert len(fragments) >= 3
    assert all('hx-swap="grow"' in fragment for fragment in fragments[1:-1])
    last = fragments[-1]
    assert poller_in(last) is None and "data-copy" in last and 'hx-target="#composer-actions"' in last
    words = "".join(answer_for(SLOW)).split()
    assert text_of([last]).split()[: len(words)] == words


async def test_without_htmx_the_poller_leads_to_the_page(alice: Visitor) -> None:
    path = await alice.ask(SLOW)
    page = (await alice.get(path)).text
    poller = poller_in(page)
    assert poller and '<meta http-equiv="refresh" content="2">' in page
    answer = await alice.get(poller)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert 'http-equiv="refresh"' not in (await alice.get(f"{path}?still=1")).text


async def test_following_is_the_owners_only_and_stays_in_its_conversation(alice: Visitor, charlie: Visitor) -> None:
    path, other = await alice.ask(SLOW), await alice.ask()
    poller = poller_in((await alice.get(path)).text)
    assert poller
    assert (await charlie.get(poller, target="")).status_code == 404
    assert (await alice.get(poller.replace(path, other), target="")).status_code == 404
    for bad in (f"{path}/jobs/{MISSING}", f"{path}/jobs/1"):
        assert (await alice.get(bad, target="")).status_code == 404


@pytest.mark.parametrize("position", ["after=-1", "after=x", "seen=-1", "after=9999999999999999999"])
async def test_a_position_that_is_none_is_refused(position: str, alice: Visitor) -> None:
    path = await alice.ask(SLOW)
    poller = poller_in((await alice.get(path)).text)
    assert poller
    answer = await alice.get(f"{poller.partition('?')[0]}?{position}", target="")
    assert answer.status_code == 422 and answer.headers["hx-retarget"] == "#toasts"


async def test_any_position_gets_what_it_lacks(alice: Visitor) -> None:
    path = await alice.ask(SLOW)
    poller = poller_in((await alice.get(path)).text)
    await alice.follow(path)
    assert poller
    words = "".join(answer_for(SLOW)).split()
    for position in ("after=0&seen=0", "after=1&seen=0", "after=3&seen=0", "after=3&seen=7", "after=5000&seen=1"):
        answer = await alice.get(f"{poller.partition('?')[0]}?{position}", target="")
        assert answer.status_code == 200 and poller_in(answer.text) is None
        assert "".join(words) in "".join(text_of([answer.text]).split()), position


async def test_stopping_keeps_what_was_written(alice: Visitor, charlie: Visitor) -> None:
    path = await alice.ask("Go on for ever [[tokens=endless rate=50]]")
    poller = poller_in((await alice.get(path)).text)
    assert poller
    await alice.get(poller, target="")
    stop = f"{poller.partition('?')[0]}/cancel"
    assert (await charlie.post(stop)).status_code == 404
    assert (await alice.post(stop, target="x")).status_code == 204
    await alice.follow(path)
    page = (await alice.get(path)).text
    assert "Stopped." in page and "/continue" in page
    assert (await alice.post(stop)).headers["location"] == path


async def test_going_on_continues_the_same_message(alice: Visitor, charlie: Visitor) -> None:
    path = await alice.ask(SLOW)
    poller = poller_in((await alice.get(path)).text)
    assert poller
    await alice.get(poller, target="")
    await alice.post(f"{poller.partition('?')[0]}/cancel")
    await alice.follow(path)
    question, answer_id = ids_in((await alice.get(path)).text)
    assert (await charlie.post(f"/messages/{answer_id}/continue")).status_code == 404
    assert (await alice.post(f"/messages/{question}/continue")).status_code == 409
    assert (await alice.post(f"/messages/{answer_id}/continue", idempotency_key="k")).headers["location"] == path
    await alice.follow(path)
    page = (await alice.get(path)).text
    assert ids_in(page) == [question, answer_id]
    assert "".join(answer_for(SLOW)).split()[-1] in text_of([page.partition('id="messages"')[2]])


async def test_another_answer_is_made_once_per_form(alice: Visitor, charlie: Visitor) -> None:
    path = await alice.answered()
    answer_id = ids_in((await alice.get(path)).text)[1]
    assert (await charlie.post(f"/messages/{answer_id}/regenerate")).status_code == 404
    for _ in range(2):
        sent = await alice.post(f"/messages/{answer_id}/regenerate", idempotency_key="same")
        assert sent.status_code == 303, sent.text
    await alice.follow(path)
    assert "2 of 2" in (await alice.get(path)).text


async def test_a_failure_says_why_and_offers_another_try(alice: Visitor) -> None:
    path = await alice.answered("Fail [[fault=not_found]]")
    page = (await alice.get(path)).text
    assert 'class="failure" role="alert"' in page and "Try again" in page


async def test_leaving_frees_the_viewers_place(served: Served, alice: Visitor) -> None:
    path = await alice.ask("Wait [[tokens=5 first=3000]]")
    poller = poller_in((await alice.get(path)).text)
    assert poller

    async def poll_and_leave(poller: str | None) -> None:
        """At the latest when the answer runs and has nothing to tell yet, this viewer loses patience."""
        while poller:
            poller = poller_in((await alice.client.get(poller, headers=htmx(""), timeout=1.0)).text)

    with pytest.raises(httpx.ReadTimeout):
        await poll_and_leave(poller)

    async def watching() -> int:
        await asyncio.sleep(0.2)
        return len(served.services.viewers)

    assert await served.run(watching) == 0
