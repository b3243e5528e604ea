"""The verbs: what each makes, where it hangs in the tree, and what the model is then asked."""

from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.models import User
from app.accounts.principal import Principal
from app.conversations.messages import window_of
from app.conversations.models import Conversation
from app.conversations.service import get_conversation, update_conversation
from app.errors import AppError, ErrorKind
from tests.generations.asking import MakeSettings, Talk, accepted, new_talk, row_counts, words
from tests.jobs.waiting import until
from tests.model_server import ModelServer
from tests.process import Process, running


async def view(talk: Talk) -> list[str]:
    async with talk.database.read() as session:
        conversation = await get_conversation(session, talk.principal, talk.conversation_id)
        return [message.content for message in (await window_of(session, conversation)).messages]


def asked(server: ModelServer, index: int = -1) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in server.chats[index].json["messages"]]


async def test_a_message_is_answered(talk: Talk) -> None:
    answer = await talk.ask("hello [[tokens=30]]")
    assert (answer.content, answer.status, answer.finish_reason) == (words("hello [[tokens=30]]"), "complete", "stop")
    assert answer.usage is not None
    assert answer.usage["completion_tokens"] == 30
    assert answer.usage["context_length"] == 8192
    job = await talk.job(str(answer.job_id))
    assert job.result == {"conversation_id": talk.conversation_id, "message_id": answer.id}
    assert await talk.kinds(job.id) == ["status", "delta", "usage", "done"]


async def test_thinking_is_kept_apart(talk: Talk) -> None:
    answer = await talk.ask("hello [[think=5 tokens=5]]", model="ollama/thinker:latest")
    assert answer.content == words("hello [[think=5 tokens=5]]")
    assert len(answer.thinking.split()) == 5


async def test_the_branch_is_what_the_model_is_asked(talk: Talk, server: ModelServer) -> None:
    first = await talk.ask("one")
    await talk.ask("two")
    assert asked(server) == [("user", "one"), ("assistant", first.content), ("user", "two")]


async def test_the_system_prompt_goes_first(process: Process, alice: Principal, server: ModelServer) -> None:
    talk = await new_talk(process, alice, system_prompt="Be brief.", options={"temperature": 0.5, "seed": 1})
    await talk.ask("one", options={"seed": 2})
    assert asked(server)[0] == ("system", "Be brief.")
    options = server.chats[-1].json["options"]
    assert (options["temperature"], options["seed"]) == (0.5, 2)


async def test_edit_makes_a_sibling_with_its_own_answer(talk: Talk, server: ModelServer) -> None:
    first = await talk.send("one")
    await talk.ended(first)
    await talk.ask("two")
    edited = accepted(
        await talk.process.generations.edit(talk.principal, first.user_message.id, content="one, but better")
    )
    answer = await talk.ended(edited)
    assert edited.user_siblings == [first.user_message.id, edited.user_message.id]
    assert asked(server) == [("user", "one, but better")]
    assert await view(talk) == ["one, but better", answer.content]
    assert (await talk.message(first.user_message.id)).content == "one"  # nothing is overwritten


async def test_regenerate_makes_a_sibling_of_the_answer(talk: Talk, server: ModelServer) -> None:
    first = await talk.send("one")
    answer = await talk.ended(first)
    again = accepted(
        await talk.process.generations.regenerate(talk.principal, answer.id, model="ollama/thinker:latest")
    )
    assert again.user_message.id == first.user_message.id
    assert again.assistant_siblings == [answer.id, again.assistant_message.id]
    assert (await talk.ended(again)).content == answer.content
    assert server.chats[-1].json["model"] == "thinker:latest"
    assert asked(server) == [("user", "one")]


@pytest.mark.parametrize(
    ("verb", "of", "code"),
    [
        ("edit", "answer", "not_editable"),
        ("regenerate", "question", "not_an_answer"),
        ("continue_answer", "question", "not_an_answer"),
        ("continue_answer", "answer", "not_continuable"),
    ],
)
async def test_a_verb_of_the_wrong_message_is_a_conflict_and_leaves_nothing(
    talk: Talk, verb: str, of: str, code: str
) -> None:
    sent = await talk.send("one")
    await talk.ended(sent)
    message = sent.user_message if of == "question" else sent.assistant_message
    before = await row_counts(talk.database)
    arguments = {"content": "x"} if verb == "edit" else {}
    with pytest.raises(AppError) as refused:
        await getattr(talk.process.generations, verb)(talk.principal, message.id, **arguments)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.conflict, code)
    assert await row_counts(talk.database) == before


async def test_continue_goes_on_with_the_same_message(talk: Talk, server: ModelServer) -> None:
    prompt = "hello [[tokens=40]]"
    cut = await talk.ask(prompt, options={"max_tokens": 10})
    assert (cut.content, cut.status, cut.finish_reason) == (words(prompt, 10), "complete", "length")
    going_on = accepted(await talk.process.generations.continue_answer(talk.principal, cut.id))
    whole = await talk.ended(going_on)
    assert whole.id == cut.id
    assert (whole.content, whole.finish_reason) == (words(prompt), "stop")
    assert (await talk.events(going_on.job.id))[0] == (1, "snapshot", {"content": cut.content, "thinking": ""})
    assert asked(server)[-1] == ("assistant", cut.content)
    assert going_on.job.id != cut.job_id


async def test_a_branch_is_chosen_and_the_next_message_hangs_below_it(talk: Talk) -> None:
    first = await talk.send("one")
    await talk.ended(first)
    edited = accepted(await talk.process.generations.edit(talk.principal, first.user_message.id, content="other"))
    await talk.ended(edited)
    async with talk.database.transaction() as session:
        changes = {"head_id": first.user_message.id}
        await update_conversation(session, talk.principal, talk.conversation_id, changes)
    sent = await talk.send("two")
    assert sent.user_message.parent_id == first.assistant_message.id
    await talk.ended(sent)
    assert [text for text in await view(talk) if text in ("one", "other", "two")] == ["one", "two"]


async def test_a_parent_may_be_given_and_none_is_a_new_root(talk: Talk) -> None:
    first = await talk.send("one")
    await talk.ended(first)
    beside = await talk.send("beside", parent_id=first.assistant_message.id)
    root = await talk.send("root", parent_id=None)
    assert (beside.user_message.parent_id, root.user_message.parent_id) == (first.assistant_message.id, None)
    assert root.user_siblings == [first.user_message.id, root.user_message.id]
    for sent in (beside, root):
        await talk.ended(sent)
    with pytest.raises(AppError) as refused:
        await talk.send("x", parent_id="01a20e73-d522-7269-ab31-ade1073b3dcb")
    assert refused.value.errors[0].pointer == "/parent_id"


async def test_a_message_behind_an_answer_uses_what_it_came_to(talk: Talk, server: ModelServer) -> None:
    first = await talk.send("one [[tokens=10 rate=100]]")
    second = await talk.send("two")
    assert second.job.blocked
    assert second.user_message.parent_id == first.assistant_message.id
    await talk.ended(second)
    assert asked(server)[1] == ("assistant", words("one [[tokens=10 rate=100]]"))
    assert len(server.chats) == 2


async def test_a_message_behind_a_cancelled_answer_uses_the_part_of_it(talk: Talk, server: ModelServer) -> None:
    first = await talk.send("one [[tokens=endless rate=200]]")
    second, third = await talk.send("two"), await talk.send("three")
    await talk.writing(first.job.id, 20)
    await talk.process.endings.cancel(talk.principal, second.job.id)
    assert (await talk.ended(second)).status == "stopped"
    assert (await talk.job(third.job.id)).status == "queued"  # the first one still runs
    await talk.process.endings.cancel(talk.principal, first.job.id)
    part = await talk.ended(first)
    await talk.ended(third)
    assert asked(server) == [
        ("user", "one [[tokens=endless rate=200]]"),
        ("assistant", part.content),
        ("user", "two"),
        ("assistant", "…"),
        ("user", "three"),
    ]


async def test_a_branch_that_is_being_written_can_be_deleted(talk: Talk, server: ModelServer) -> None:
    first = await talk.send("one")
    await talk.ended(first)
    second = await talk.send("two [[tokens=endless rate=100]]")
    third = await talk.send("three")
    await talk.writing(second.job.id)
    await talk.process.endings.delete_message(talk.principal, second.user_message.id)
    assert {(await talk.job(sent.job.id)).status for sent in (second, third)} == {"cancelled"}
    await until(lambda: server.chats[-1].disconnected, 1)
    assert await view(talk) == ["one", words("one")]
    assert (await talk.ask("four")).status == "complete"


async def test_I6_a_full_queue_refuses_and_leaves_nothing(make_settings: MakeSettings, alice: Principal) -> None:
    async with running(make_settings(max_queued_per_user=2, max_running_per_user=1)) as process:
        talk = await new_talk(process, alice)
        first = await talk.send("one [[fault=hang]]")
        await talk.running(first.job.id)
        for _ in range(2):
            await talk.send("more")
        before = await row_counts(process.database)
        with pytest.raises(AppError) as refused:
            await talk.send("too much")
        assert (refused.value.kind, refused.value.code) == (ErrorKind.rate_limited, "queue_full")
        assert await row_counts(process.database) == before
        await process.endings.cancel_all(alice.user_id)
        assert (await talk.ended(first)).status == "stopped"


async def test_models_are_resolved_in_order(make_settings: MakeSettings, alice: Principal, server: ModelServer) -> None:
    """Given, the conversation's, the user's, the server's, the first of the list."""
    used: list[str | None] = []
    for step in range(5):
        default = "ollama/scripted:latest" if step < 2 else ""
        async with running(make_settings(default_model=default)) as process:
            columns: dict[str, Any] = {"model": "ollama/conversations"} if step == 3 else {}
            async with process.database.transaction() as session:
                users = "ollama/users" if step in (1, 3, 4) else None
                await session.execute(update(User).values(default_model=users))
            talk = await new_talk(process, alice, **columns)
            sent = await talk.send("hi", **({"model": "ollama/given"} if step == 4 else {}))
            used.append(sent.assistant_message.model)
            await talk.ended(sent)
            async with process.database.read() as session:
                conversation = await session.get(Conversation, talk.conversation_id)
                assert conversation is not None
                assert conversation.model == used[-1]
    listed = "ollama/scripted:latest"
    assert used == [listed, "ollama/users", listed, "ollama/conversations", "ollama/given"]


@pytest.mark.parametrize("model", ["nobody/x", "ollama", "ollama/", "/x", ""])
async def test_I6_a_model_of_no_provider_is_refused(talk: Talk, model: str) -> None:
    before = await row_counts(talk.database)
    if not model:
        assert (await talk.send("hi", model=model)).assistant_message.model == "ollama/scripted:latest"
        return
    with pytest.raises(AppError) as refused:
        await talk.send("hi", model=model)
    assert (refused.value.code, refused.value.errors[0].pointer) == ("unknown_provider", "/model")
    assert await row_counts(talk.database) == before


async def test_without_any_model_it_is_refused(
    make_settings: MakeSettings, alice: Principal, server: ModelServer
) -> None:
    server.models = []
    async with running(make_settings(default_model="")) as process:
        with pytest.raises(AppError) as refused:
            await (await new_talk(process, alice)).send("hi")
    assert refused.value.code == "no_model"


async def test_a_strangers_things_are_not_there(talk: Talk, bob: Principal) -> None:
    sent = await talk.send("one [[fault=hang]]")
    await talk.running(sent.job.id)
    generations, endings = talk.process.generations, talk.process.endings
    before = await row_counts(talk.database)
    for refused in (
        generations.send_message(bob, talk.conversation_id, content="x"),
        generations.edit(bob, sent.user_message.id, content="x"),
        generations.regenerate(bob, sent.assistant_message.id),
        generations.continue_answer(bob, sent.assistant_message.id),
        endings.cancel(bob, sent.job.id),
        endings.delete_message(bob, sent.user_message.id),
        endings.delete_conversation(bob, talk.conversation_id),
    ):
        with pytest.raises(AppError) as missing:
            await refused
        assert missing.value.kind is ErrorKind.not_found
    await endings.cancel_all(bob.user_id)
    assert await row_counts(talk.database) == before
    assert not (await talk.job(sent.job.id)).finished_at
    await endings.cancel(talk.principal, sent.job.id)
