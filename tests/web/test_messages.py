"""Send, edit, choose a branch."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.serving import Served
from tests.web.visitor import MISSING, Visitor, ids_in, poller_in


async def rows(served: Served, path: str) -> list[Any]:
    async def read() -> list[Any]:
        async with served.services.database.read() as session:
            query = text("SELECT role, content FROM messages WHERE conversation_id = :id ORDER BY id")
            return list((await session.execute(query, {"id": path.rpartition("/")[2]})).all())

    return await served.run(read)


async def test_a_message_is_answered_by_a_fragment_or_by_the_page(alice: Visitor) -> None:
    path = await alice.answered()
    part = await alice.post(f"{path}/messages", target="messages", content="And <i>now</i>? [[tokens=2]]")
    assert part.status_code == 202
    assert len(ids_in(part.text)) == 2 and poller_in(part.text) and "&lt;i&gt;now" in part.text
    assert part.text.count('id="composer"') == 1 and "<html" not in part.text
    whole = await alice.post(f"{path}/messages", content="And then? [[tokens=2]]")
    assert (whole.status_code, whole.headers["location"]) == (303, path)


async def test_a_message_sent_twice_is_one(served: Served, alice: Visitor) -> None:
    path = await alice.answered()
    sent = {"content": "Once [[tokens=2]]", "idempotency_key": "one-form"}
    first = await alice.post(f"{path}/messages", target="messages", **sent)
    again = await alice.post(f"{path}/messages", target="messages", **sent)
    assert ids_in(first.text) == ids_in(again.text) and len(await rows(served, path)) == 4
    await alice.post(f"{path}/messages", **{**sent, "content": "After Back, other words [[tokens=2]]"})
    assert len(await rows(served, path)) == 6


async def test_a_browsers_line_ends_are_plain_ones(served: Served, alice: Visitor) -> None:
    path = await alice.answered()
    await alice.post(f"{path}/messages", content="one\r\ntwo\r\n\r\n[[tokens=1]]")
    assert (await rows(served, path))[2] == ("user", "one\ntwo\n\n[[tokens=1]]")


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "needs some text"), (" \n", "needs some text"), ("a\0b", "cannot be stored"), ("x" * 100_001, "100,001")],
)
async def test_what_is_refused_comes_back_as_it_was_typed(
    content: str, says: str, served: Served, alice: Visitor
) -> None:
    path = await alice.answered()
    whole = await alice.post(f"{path}/messages", content=content)
    part = await alice.post(f"{path}/messages", target="messages", content=content)
    for answer in (whole, part):
        assert answer.status_code == 422 and says in answer.text
        assert f">{content}</textarea>" in answer.text
    assert part.headers["hx-retarget"] == "#composer" and "<html" not in part.text
    assert 'http-equiv="refresh"' not in whole.text
    assert len(await rows(served, path)) == 2


async def test_a_text_that_begins_with_an_empty_line_keeps_it(alice: Visitor) -> None:
    path = await alice.answered()
    answer = await alice.post(f"{path}/messages", content="\n\0kept")
    # A browser drops the first line end inside a textarea.
    assert ">\n\n\0kept</textarea>" in answer.text


async def test_sending_is_the_owners_only(alice: Visitor, charlie: Visitor) -> None:
    path = await alice.answered()
    for there in (path, f"/c/{MISSING}", "/c/1"):
        answer = await charlie.post(f"{there}/messages", content="Let me in", target="messages")
        assert answer.status_code == 404 and answer.headers["hx-retarget"] == "#toasts"


async def test_editing_makes_another_version(served: Served, alice: Visitor, charlie: Visitor) -> None:
    path = await alice.answered("First wording [[tokens=2]]")
    question, answer_id = ids_in((await alice.get(path)).text)
    form = (await alice.get(f"/messages/{question}/edit")).text
    assert "First wording [[tokens=2]]</textarea>" in form
    assert (await charlie.get(f"/messages/{question}/edit")).status_code == 404
    assert (await charlie.post(f"/messages/{question}/edit", content="Mine")).status_code == 404
    assert (await alice.get(f"/messages/{answer_id}/edit")).status_code == 409
    refused = await alice.post(f"/messages/{question}/edit", content=" ")
    assert refused.status_code == 422 and "needs some text" in refused.text
    sent = {"content": "Second wording [[tokens=2]]", "idempotency_key": "edit"}
    for _ in range(2):
        done = await alice.post(f"/messages/{question}/edit", **sent)
        assert (done.status_code, done.headers["location"]) == (303, path)
    page = (await alice.get(path)).text
    assert "Second wording" in page.partition('id="messages"')[2] and "2 of 2" in page
    assert len(await rows(served, path)) == 4


async def test_choosing_a_version_brings_its_branch_into_view(alice: Visitor, charlie: Visitor) -> None:
    path = await alice.answered("First wording [[tokens=2]]")
    question = ids_in((await alice.get(path)).text)[0]
    await alice.post(f"/messages/{question}/edit", content="Second wording [[tokens=2]]")
    assert (await charlie.post(f"/messages/{question}/select")).status_code == 404
    assert (await alice.post(f"/messages/{MISSING}/select")).status_code == 404
    assert (await alice.post(f"/messages/{question}/select")).headers["location"] == path
    assert ids_in((await alice.get(path)).text)[0] == question
    part = (await alice.get(path, target="chat")).text
    assert part.lstrip().startswith('<div id="chat"')


async def test_a_message_below_newer_ones_is_refused_with_them_and_kept(alice: Visitor) -> None:
    path = await alice.answered("First [[tokens=1]]")
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', (await alice.get(path)).text)
    assert (await alice.post(f"{path}/messages", content="Elsewhere [[tokens=1]]", seen=seen)).status_code == 303
    refused = await alice.post(f"{path}/messages", content="Half an hour of work", seen=seen)
    assert refused.status_code == 409 and "2 newer messages have come here." in refused.text
    assert "Half an hour of work</textarea>" in refused.text and "Elsewhere" in refused.text
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', refused.text)
    assert (await alice.post(f"{path}/messages", content="Half an hour of work", seen=seen)).status_code == 303
