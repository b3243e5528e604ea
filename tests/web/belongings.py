"""One of everything that can be somebody's, and whether it is still as it was."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.accounts.models import ApiKey, Invite
from app.clock import utcnow
from app.ids import new_id
from tests.api.serving import Served
from tests.web.visitor import Visitor, ids_in

# What changes by itself while somebody looks at a page.
BY_ITSELF = {"last_seen_at", "last_used_at", "updated_at", "beat", "leased_until", "folded"}
TABLES = {
    "users": "id = :user_id",
    "sessions": "user_id = :user_id",
    "api_keys": "user_id = :user_id",
    "conversations": "user_id = :user_id",
    "messages": "conversation_id = :conversation_id",
    "jobs": "user_id = :user_id AND kind = 'answer'",
    "invites": "created_by = :user_id",
}


async def belongings_of(served: Served, owner: Visitor) -> dict[str, str]:
    """An answered conversation, a key, a session, an invitation: what an id in a path can name."""
    path = await owner.answered(f"A secret of {owner.name} [[tokens=3]]")
    ids = {"conversation_id": path.rsplit("/", 1)[1], "message_id": ids_in((await owner.get(path)).text)[0]}

    async def rest() -> None:
        database = served.services.database
        async with database.read() as session:
            (ids["user_id"], ids["job_id"]), *_ = await session.execute(
                text("SELECT user_id, id FROM jobs WHERE conversation_id = :conversation_id AND kind = 'answer'"), ids
            )
            query = text("SELECT id FROM sessions WHERE user_id = :user_id ORDER BY created_at DESC")
            ids["session_id"] = (await session.execute(query, ids)).scalars().all()[0]
        async with database.transaction() as session:
            owned = {"user_id": ids["user_id"], "name": f"a key of {owner.name}", "digest": new_id()}
            key = ApiKey(**owned, scopes=["read"])
            invite = Invite(digest=new_id(), created_by=ids["user_id"], expires_at=utcnow() + timedelta(days=1))
            session.add_all([key, invite])
            await session.flush()
            ids["key_id"], ids["invite_id"] = key.id, invite.id

    await served.run(rest)
    return ids


async def kept(served: Served, ids: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """All of it, as the database has it."""

    async def rows() -> dict[str, list[dict[str, Any]]]:
        async with served.services.database.read() as session:
            found = {
                table: (await session.execute(text(f"SELECT * FROM {table} WHERE {whose} ORDER BY id"), ids)).mappings()
                for table, whose in TABLES.items()
            }
            return {
                table: [{name: row[name] for name in row if name not in BY_ITSELF} for row in result]
                for table, result in found.items()
            }

    return await served.run(rows)
