"""Messages as they stand now."""

from app.conversations.service import get_conversation
from app.generations import reading
from tests.generations.asking import Talk, accepted, words


async def test_what_is_being_written_shows_its_committed_text(talk: Talk) -> None:
    prompt = "hello [[tokens=endless rate=100]]"
    sent = await talk.send(prompt)
    await talk.writing(sent.job.id, 20)
    async with talk.database.read() as session:
        message, siblings = await reading.message(session, talk.principal, sent.assistant_message.id)
        conversation = await get_conversation(session, talk.principal, talk.conversation_id)
        window = await reading.window(session, conversation)
    assert siblings == [message.id]
    assert (message.status, len(message.content) >= 20) == ("generating", True)
    assert words(prompt, 1000).startswith(message.content)
    assert window.messages[-1].content.startswith(message.content)
    assert (await talk.message(message.id)).content == ""  # shown, not stored
    await talk.process.endings.cancel(talk.principal, sent.job.id)
    await talk.ended(sent)


async def test_what_is_gone_on_with_shows_what_it_had_from_the_first_moment(talk: Talk) -> None:
    cut = await talk.ask("hello [[tokens=40]]", options={"max_tokens": 10})
    await talk.process.engine.worker.drain()
    going_on = accepted(await talk.process.generations.continue_answer(talk.principal, cut.id))
    async with talk.database.read() as session:
        message, _ = await reading.message(session, talk.principal, cut.id)
    assert (message.status, message.content) == ("generating", cut.content)
    await talk.process.endings.cancel(talk.principal, going_on.job.id)
    stopped = await talk.ended(going_on)
    assert (stopped.status, stopped.content) == ("stopped", cut.content)
