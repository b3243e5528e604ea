"""A conversation as a file."""

from app.accounts.principal import Principal
from app.clock import rfc3339
from app.conversations.exporting import FORMAT, export_json, export_markdown
from app.db.session import Database
from tests.conversations.trees import a_chain, add_message, message_id, reading


async def test_json_has_every_branch_parents_first(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 4)
    await add_message(database, conversation, 10, 1, error={"code": "x"}, superseded=[{"content": "old"}])
    async with reading(database, conversation.id) as (session, fresh):
        exported = await export_json(session, fresh, rfc3339)
    assert exported["format"] == FORMAT
    assert [m["id"] for m in exported["messages"]] == [message_id(n) for n in (0, 1, 2, 3, 10)]
    seen: set[str | None] = {None}
    for message in exported["messages"]:
        assert message["parent_id"] in seen
        seen.add(message["id"])
    assert exported["messages"][-1]["superseded"] == [{"content": "old"}]
    assert exported["messages"][-1]["error"] == {"code": "x"}


async def test_markdown_is_the_branch_in_view(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 2)
    await add_message(database, conversation, 10, None)
    async with reading(database, conversation.id) as (session, fresh):
        exported = await export_markdown(session, fresh)
    assert exported == "# A long one\n\n## You\n\ntext 0\n\n## assistant\n\ntext 1\n"


async def test_an_empty_conversation_is_its_title(database: Database, alice: Principal) -> None:
    conversation = await a_chain(database, alice, 0)
    async with reading(database, conversation.id) as (session, fresh):
        assert await export_markdown(session, fresh) == "# A long one\n"
        assert (await export_json(session, fresh, rfc3339))["messages"] == []
