"""What is done with one message: look closer, copy, answer by another model, delete."""

import pytest

from tests.web.visitor import MISSING, Visitor, ids_in

PAGES = ["", "/source", "/actions", "/regenerate", "/delete", "/edit"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_message_is_its_owners_only(page: str, alice: Visitor, charlie: Visitor) -> None:
    path = await alice.answered()
    question, answer = ids_in((await alice.get(path)).text)
    for message_id in (question, answer, MISSING, "1"):
        assert (await charlie.get(f"/messages/{message_id}{page}")).status_code == 404
    assert (await alice.get(f"/messages/{question}{page}")).status_code in (200, 303)


@pytest.mark.parametrize("verb", ["delete", "regenerate"])
async def test_no_stranger_changes_one(verb: str, alice: Visitor, charlie: Visitor) -> None:
    path = await alice.answered()
    answer = ids_in((await alice.get(path)).text)[1]
    for message_id in (answer, MISSING, "1"):
        assert (await charlie.post(f"/messages/{message_id}/{verb}")).status_code == 404
    assert (await alice.client.post(f"/messages/{answer}/{verb}")).status_code == 403, "without a token"
    assert ids_in((await alice.get(path)).text)[1] == answer


async def test_the_source_is_the_text_as_it_was_written(alice: Visitor) -> None:
    path = await alice.answered("Say *this* & <that> [[tokens=2]]")
    question = ids_in((await alice.get(path)).text)[0]
    source = await alice.get(f"/messages/{question}/source")
    assert source.text == "Say *this* & <that> [[tokens=2]]"
    assert source.headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_message_leads_to_its_place_or_comes_alone(alice: Visitor) -> None:
    path = await alice.answered()
    answer = ids_in((await alice.get(path)).text)[1]
    whole = await alice.get(f"/messages/{answer}")
    assert whole.headers["location"] == f"{path}?message={answer}#message-{answer}"
    part = await alice.get(f"/messages/{answer}", target=f"message-{answer}")
    assert ids_in(part.text) == [answer] and "<html" not in part.text


@pytest.mark.parametrize("page", ["actions", "regenerate", "delete"])
async def test_a_menu_is_a_part_of_its_page(page: str, alice: Visitor) -> None:
    path = await alice.answered()
    answer = ids_in((await alice.get(path)).text)[1]
    whole = (await alice.get(f"/messages/{answer}/{page}")).text
    part = (await alice.get(f"/messages/{answer}/{page}", target="menu")).text
    assert "<html" in whole and "<html" not in part
    assert part.count("<a ") + part.count("<button") >= 2


async def test_the_figures_say_how_it_was_made(alice: Visitor) -> None:
    path = await alice.answered("Count [[tokens=12]]")
    answer = ids_in((await alice.get(path)).text)[1]
    page = (await alice.get(f"/messages/{answer}/actions")).text
    assert "12 tokens" in page and "ollama/" in page and "tokens a second" in page and "<time " in page


async def test_another_model_answers_and_becomes_the_conversations(alice: Visitor) -> None:
    path = await alice.answered()
    answer = ids_in((await alice.get(path)).text)[1]
    form = (await alice.get(f"/messages/{answer}/regenerate")).text
    assert '<optgroup label="Ollama">' in form and "thinker:latest" in form
    await alice.post(f"/messages/{answer}/regenerate", model="ollama/thinker:latest", idempotency_key="k1")
    await alice.post(f"/messages/{answer}/regenerate", model="ollama/thinker:latest", idempotency_key="k1")
    await alice.follow(path)
    page = (await alice.get(path)).text
    assert "2 of 2" in page and '<span class="by">thinker:latest</span>' in page
    assert '<option value="ollama/thinker:latest" selected>' in page
    refused = await alice.post(f"/messages/{answer}/regenerate", model="nobody/nothing")
    assert refused.status_code == 422


async def test_deleting_names_the_loss_and_brings_what_is_left_into_view(alice: Visitor) -> None:
    path = await alice.answered()
    await alice.post(f"{path}/messages", content="Second [[tokens=2]]")
    await alice.follow(path)
    first, _, second, last = ids_in((await alice.get(path)).text)
    assert "1 message will be gone" in (await alice.get(f"/messages/{last}/delete")).text
    assert "4 messages will be gone" in (await alice.get(f"/messages/{first}/delete")).text
    assert len(ids_in((await alice.get(path)).text)) == 4, "asking deletes nothing"
    done = await alice.post(f"/messages/{second}/delete")
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert ids_in((await alice.get(path)).text)[0] == first and len(ids_in((await alice.get(path)).text)) == 2
    await alice.post(f"/messages/{first}/delete")
    empty = await alice.get(path)
    assert empty.status_code == 200 and ids_in(empty.text) == []


async def test_deleting_one_version_shows_the_other(alice: Visitor) -> None:
    path = await alice.answered()
    first = ids_in((await alice.get(path)).text)[1]
    await alice.post(f"/messages/{first}/regenerate", idempotency_key="again")
    await alice.follow(path)
    second = ids_in((await alice.get(path)).text)[1]
    await alice.post(f"/messages/{second}/delete")
    assert ids_in((await alice.get(path)).text)[1] == first != second


async def test_deleting_stops_what_is_written_there(alice: Visitor) -> None:
    path = await alice.ask("For ever [[tokens=endless rate=20]]")
    answer = ids_in((await alice.get(path)).text)[1]
    assert (await alice.post(f"/messages/{answer}/delete")).status_code == 303
    page = (await alice.get(path)).text
    assert len(ids_in(page)) == 1 and 'class="poller' not in page
