"""Cancelled, limited, deleted: an answer that ends before its end, and the server that is hung up on."""

import asyncio
import time

import pytest

from app.accounts.principal import Principal
from app.conversations.messages import get_message
from app.errors import AppError
from app.generations import loop
from tests.generations.asking import MakeSettings, Talk, new_talk, words
from tests.jobs.waiting import until
from tests.model_server import ModelServer
from tests.process import running

ENDLESS = "on and on [[tokens=endless rate=200]]"


async def cancel(talk: Talk, job_id: str) -> float:
    """Returns the moment."""
    now = time.monotonic()
    await talk.process.endings.cancel(talk.principal, job_id)
    return now


async def assert_hung_up(server: ModelServer, since: float) -> None:
    await until(lambda: server.chats[-1].disconnected_at, 3)
    assert (server.chats[-1].disconnected_at or 0) - since < 1


async def test_a_queued_answer_is_cancelled_without_being_asked(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    async with running(make_settings(max_running_per_user=1)) as process:
        talk, other = await new_talk(process, alice), await new_talk(process, alice)
        first = await talk.send(ENDLESS)
        await talk.writing(first.job.id)
        waiting = await other.send("hello")
        await cancel(other, waiting.job.id)
        answer = await other.ended(waiting, 1)
        assert (answer.status, answer.finish_reason, answer.content) == ("stopped", "cancelled", "")
        assert (await other.job(waiting.job.id)).status == "cancelled"
        await cancel(talk, first.job.id)
        await talk.ended(first)
    assert len(server.chats) == 1


async def test_a_running_answer_is_cancelled_and_keeps_its_text(talk: Talk, server: ModelServer) -> None:
    sent = await talk.send(ENDLESS)
    await talk.writing(sent.job.id, 30)
    began = await cancel(talk, sent.job.id)
    answer = await talk.ended(sent, 1)
    assert (answer.status, answer.finish_reason, answer.error) == ("stopped", "cancelled", None)
    assert len(answer.content) >= 30
    assert words(ENDLESS, 1000).startswith(answer.content)
    assert answer.content == await talk.text(sent.job.id)
    await assert_hung_up(server, began)
    assert (await talk.kinds(sent.job.id))[-1] == "done"


@pytest.mark.parametrize("fault", ["hang", "hang_after:5"])
async def test_F09_a_cancel_inside_a_hang_hangs_up_within_a_second(talk: Talk, server: ModelServer, fault: str) -> None:
    sent = await talk.send(f"hello [[tokens=10 fault={fault}]]")
    await until(lambda: server.chats)
    if fault != "hang":
        await talk.writing(sent.job.id)
    began = await cancel(talk, sent.job.id)
    assert (await talk.ended(sent, 1)).status == "stopped"
    await assert_hung_up(server, began)


async def test_a_cancel_is_idempotent_and_too_late_is_no_error(talk: Talk) -> None:
    sent = await talk.send("hello")
    whole = await talk.ended(sent)
    for _ in range(2):
        job = await talk.process.endings.cancel(talk.principal, sent.job.id)
        assert job.status == "succeeded"
    assert (await talk.message(whole.id)).status == "complete"


async def test_a_cancel_from_another_process_is_heard(
    talk: Talk, make_settings: MakeSettings, server: ModelServer
) -> None:
    async with running(make_settings(model_slots=1)) as other:
        talk.process.engine._neighbours.look_around()
        other.engine._neighbours.look_around()
        sent = await talk.send(ENDLESS)
        await talk.writing(sent.job.id)
        (owner,) = (await talk.database.lookup.all("SELECT lease_owner FROM jobs", {}))[0]
        far = other if owner == talk.process.engine.owner else talk.process
        began = await cancel(talk.elsewhere(far), sent.job.id)
        assert (await talk.ended(sent, 2)).status == "stopped"
        await assert_hung_up(server, began)


async def test_a_restarted_answer_cancelled_keeps_what_was_replaced(
    make_settings: MakeSettings, alice: Principal, server: ModelServer, quick_retries: None
) -> None:
    settings = make_settings(ollama_url="", openai_base_url=server.openai_url, default_model="openai/scripted:latest")
    async with running(settings) as process:
        talk = await new_talk(process, alice)
        prompt = "hello [[tokens=endless rate=200 fault=cut_after:20 times=1]]"
        sent = await talk.send(prompt)
        await until(lambda: len(server.chats) == 2)
        await talk.writing(sent.job.id, len(words(prompt, 20)) + 20)
        await cancel(talk, sent.job.id)
        answer = await talk.ended(sent, 2)
    assert answer.status == "stopped"
    assert [old["content"] for old in answer.superseded] == [words(prompt, 20)]
    assert words(prompt, 1000).startswith(answer.content)


@pytest.mark.parametrize("text", ["plain", "repeat", "blank"])
async def test_F12_an_endless_stream_stops_at_our_limit(
    talk: Talk, server: ModelServer, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "MAX_ANSWER_BYTES", 20_000)
    prompt = f"hello [[tokens=endless text={text}]]"
    sent = await talk.send(prompt)
    answer = await talk.ended(sent)
    assert (answer.status, answer.finish_reason) == ("stopped", "limit")
    assert 19_900 < len(answer.content) <= 20_000
    assert (await talk.job(sent.job.id)).status == "succeeded"
    assert (await talk.job(sent.job.id)).result == {"conversation_id": talk.conversation_id, "message_id": answer.id}
    await until(lambda: server.chats[-1].disconnected, 2)


async def test_F12_an_answer_may_take_so_long_and_no_longer(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    async with running(make_settings(answer_timeout=0.3)) as process:
        talk = await new_talk(process, alice)
        sent = await talk.send(ENDLESS)
        answer = await talk.ended(sent, 3)
        job = await talk.job(sent.job.id)
    assert (answer.status, answer.finish_reason) == ("stopped", "limit")
    assert answer.content
    assert job.result == {"conversation_id": talk.conversation_id, "message_id": answer.id}
    await until(lambda: server.chats[-1].disconnected, 1)


async def test_F12_ten_thousand_empty_deltas_are_no_rows(talk: Talk) -> None:
    prompt = "hello [[tokens=10 fault=empty_after:5:10000]]"
    sent = await talk.send(prompt)
    assert (await talk.ended(sent)).content == words(prompt)
    assert len(await talk.events(sent.job.id)) < 20


@pytest.mark.parametrize("what", ["conversation", "user"])
async def test_F43_what_is_deleted_while_it_is_answered_takes_the_run_along(
    talk: Talk, server: ModelServer, what: str
) -> None:
    sent, behind = await talk.send(ENDLESS), await talk.send("behind")
    await talk.writing(sent.job.id)
    with talk.process.engine.hub.watch(sent.job.id) as viewer:
        began = time.monotonic()
        if what == "conversation":
            await talk.process.endings.delete_conversation(talk.principal, talk.conversation_id)
        else:
            await talk.process.endings.cancel_all(talk.principal.user_id)
        await until(lambda: any(event.event == "done" for event in viewer.take()), 1)
    await assert_hung_up(server, began)
    assert {(await talk.job(one.job.id)).status for one in (sent, behind)} == {"cancelled"}
    await until(lambda: talk.process.engine.worker.running == 0)
    if what == "conversation":
        assert await nothing_there(talk, sent.assistant_message.id)
    assert len(server.chats) == 1


async def test_F43_deleted_at_any_moment_nothing_is_left_running(talk: Talk, server: ModelServer) -> None:
    """Before its claim, at its first token, at its end."""
    for delay in (0.0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05):
        other = await new_talk(talk.process, talk.principal)
        sent = await other.send("hello [[tokens=10 rate=400]]")
        await asyncio.sleep(delay)
        await talk.process.endings.delete_conversation(talk.principal, other.conversation_id)
        assert (await other.job(sent.job.id)).finished_at is not None
    await until(lambda: talk.process.engine.worker.running == 0, 2)
    assert list(talk.process.engine.log.leases) == []
    assert await nothing_there(talk, sent.assistant_message.id)


async def nothing_there(talk: Talk, message_id: str) -> bool:
    """The rows stay for a while, in case that somebody thinks better of it; nobody sees them."""
    async with talk.database.read() as session:
        with pytest.raises(AppError, match="nothing here"):
            await get_message(session, talk.principal, message_id)
    return True
