"""Add, look up and delete messages; the window of the branch in view."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.principal import Principal
from app.conversations import tree
from app.conversations.models import Conversation, Message
from app.conversations.service import edges_of
from app.db.lookup import Lookup
from app.db.rows import Rows
from app.errors import AppError, ErrorKind, not_found
from app.i18n import worded

# Walks up from a leaf and stops after `limit`: the cost is the window's, not the conversation's.
_PATH = """
    WITH RECURSIVE path(id, parent_id, depth) AS (
      SELECT id, parent_id, 0 FROM messages WHERE id = :leaf AND conversation_id = :conversation_id
      UNION ALL
      SELECT m.id, m.parent_id, depth + 1 FROM path JOIN messages m ON m.id = path.parent_id
      WHERE depth + 1 < :limit
    )
"""
_PATH_IDS = text(f"{_PATH} SELECT id FROM path ORDER BY depth DESC")  # noqa: S608
_ROWS = Message.__table__.columns
_MESSAGES_ON_PATH = select(Message).from_statement(
    text(
        f"{_PATH} SELECT {', '.join(f'messages.{column.name}' for column in _ROWS)}"  # noqa: S608
        " FROM path JOIN messages ON messages.id = path.id ORDER BY depth DESC"
    ).columns(*_ROWS)
)
_SIBLINGS_ON_PATH = text(
    f"""{_PATH}
    SELECT m.id, m.parent_id FROM path JOIN messages m
      ON m.conversation_id = :conversation_id AND m.parent_id = path.parent_id
    UNION ALL
    SELECT id, parent_id FROM messages WHERE conversation_id = :conversation_id AND parent_id IS NULL
      AND EXISTS (SELECT 1 FROM path WHERE parent_id IS NULL)
    """  # noqa: S608
)

_SIBLINGS = """
SELECT id FROM messages WHERE conversation_id = :conversation_id AND parent_id IS NOT DISTINCT FROM :parent_id
ORDER BY id
"""

# Two looks into the index; with OR it would be read for the whole conversation.
_SIBLINGS_OF_BOTH = text(
    "SELECT id, parent_id FROM messages WHERE conversation_id = :conversation_id"
    " AND parent_id IS NOT DISTINCT FROM :parent_id UNION ALL"
    " SELECT id, parent_id FROM messages WHERE conversation_id = :conversation_id AND parent_id = :question_id"
    " ORDER BY id"
)

_TURNS = """
WITH RECURSIVE path(id, parent_id, role, content, depth) AS (
  SELECT id, parent_id, role, content, 0 FROM messages WHERE id = :leaf AND conversation_id = :conversation_id
  UNION ALL
  SELECT m.id, m.parent_id, m.role, m.content, depth + 1 FROM path JOIN messages m ON m.id = path.parent_id
)
SELECT role, content FROM path ORDER BY depth DESC
"""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a branch, newest last. `siblings` by parent id; `before`: where the older ones end, or None.

    `is_aside`: it is not of the branch in view.
    """

    messages: Sequence[Message]
    siblings: dict[str | None, list[str]]
    before: str | None
    is_aside: bool = False

    def siblings_of(self, message: Message) -> list[str]:
        return self.siblings.get(message.parent_id, [message.id])


async def get_message(session: AsyncSession, principal: Principal, message_id: str) -> Message:
    message = await session.scalar(
        select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id == message_id, Conversation.user_id == principal.user_id, Conversation.deleted_at.is_(None))
    )
    if message is None:
        raise not_found()
    return message


_MESSAGES = Rows(Message)
_MINE = f"""
SELECT {_MESSAGES.columns} FROM messages JOIN conversations ON conversations.id = messages.conversation_id
WHERE messages.id = :id AND conversations.user_id = :user_id AND conversations.deleted_at IS NULL
"""  # noqa: S608


async def look_up_message(lookup: Lookup, principal: Principal, message_id: str) -> tuple[Message, list[str]]:
    """`get_message` and `siblings_of` by look-ups: a row of no session."""
    row = await lookup.first(_MINE, {"id": message_id, "user_id": principal.user_id})
    if row is None:
        raise not_found()
    message = _MESSAGES.make(row)
    which = {"conversation_id": message.conversation_id, "parent_id": message.parent_id}
    return message, [row[0] for row in await lookup.all(_SIBLINGS, which)]


async def window_of(
    session: AsyncSession, conversation: Conversation, *, before: str | None = None, limit: int = 50
) -> Window:
    """The last `limit` messages of the branch in view, or those that stand before the message `before`."""
    leaf = conversation.head_id
    if before is not None:
        leaf = await session.scalar(
            select(Message.parent_id).where(Message.id == before, Message.conversation_id == conversation.id)
        )
    return await _window(session, conversation, leaf, limit)


async def window_around(
    session: AsyncSession, conversation: Conversation, message_id: str, *, limit: int = 50
) -> Window:
    """The message in the middle, on the branch in view if it is there, else on the newest below it."""
    path = await path_ids(session, conversation.id, conversation.head_id) if conversation.head_id else []
    is_aside = message_id not in path
    if is_aside:
        children = tree.children_of(await edges_of(session, conversation.id))
        path = await path_ids(session, conversation.id, tree.newest_leaf(message_id, children))
    if message_id not in path:
        raise not_found()
    end = min(len(path), max(limit, path.index(message_id) + limit - limit // 2))
    return await _window(session, conversation, path[end - 1], limit, is_aside=is_aside)


async def _window(
    session: AsyncSession, conversation: Conversation, leaf: str | None, limit: int, *, is_aside: bool = False
) -> Window:
    which = {"leaf": leaf, "conversation_id": conversation.id, "limit": limit}
    messages = list(await session.scalars(_MESSAGES_ON_PATH, which)) if leaf else []
    if not messages:
        return Window([], {}, None)
    siblings = tree.children_of([(row[0], row[1]) for row in await session.execute(_SIBLINGS_ON_PATH, which)])
    older = messages[0].id if messages[0].parent_id is not None else None
    return Window(messages, siblings, older, is_aside)


async def path_ids(session: AsyncSession, conversation_id: str, leaf: str, limit: int = 1_000_000) -> list[str]:
    """Ids from at most `limit` steps above down to `leaf`."""
    rows = await session.execute(_PATH_IDS, {"leaf": leaf, "conversation_id": conversation_id, "limit": limit})
    return [row[0] for row in rows]


async def refuse_unseen(session: AsyncSession, conversation: Conversation, seen: str | None) -> None:
    """Raise `newer_messages` unless `seen` is the last message of the branch in view."""
    if seen is None or conversation.head_id == seen:
        return
    path = await path_ids(session, conversation.id, conversation.head_id) if conversation.head_id else []
    if seen in path:
        count = len(path) - 1 - path.index(seen)
        detail = worded("{count} newer messages have come here. Read them, then send yours.", count=count)
    else:
        detail = worded("This conversation was changed elsewhere. Look at it, then send your message.")
    raise AppError(ErrorKind.conflict, "newer_messages", detail)


async def turns_to(lookup: Lookup, conversation_id: str, leaf: str) -> list[tuple[str, str]]:
    """(role, content) of the whole branch down to `leaf`, root first, without answers that came to nothing."""
    rows = await lookup.all(_TURNS, {"leaf": leaf, "conversation_id": conversation_id})
    return [(row[0], row[1]) for row in rows if row[1]]


async def siblings_of(session: AsyncSession, message: Message) -> list[str]:
    """Ids of the message and its siblings, oldest first."""
    which = {"conversation_id": message.conversation_id, "parent_id": message.parent_id}
    return list(await session.scalars(text(_SIBLINGS), which))


async def siblings_of_both(session: AsyncSession, question: Message, answer: Message) -> tuple[list[str], list[str]]:
    """The same of a question and of the answer below it, in one go."""
    which = {
        "conversation_id": question.conversation_id,
        "parent_id": question.parent_id,
        "question_id": answer.parent_id,
    }
    rows = (await session.execute(_SIBLINGS_OF_BOTH, which)).all()
    return [row[0] for row in rows if row[1] != answer.parent_id], [
        row[0] for row in rows if row[1] == answer.parent_id
    ]


async def branch_of(session: AsyncSession, message: Message) -> list[str]:
    """Ids of the message and everything below it."""
    return tree.branch_below(message.id, tree.children_of(await edges_of(session, message.conversation_id)))


async def delete_branch(session: AsyncSession, conversation: Conversation, message: Message) -> None:
    """Delete a message with its branch below; the view moves to the newest leaf beside or above it."""
    gone = set(await branch_of(session, message))
    ids = sorted(gone)
    for start in range(0, len(ids), 500):
        await session.execute(delete(Message).where(Message.id.in_(ids[start : start + 500])))
    if conversation.head_id not in gone:
        return
    children = tree.children_of(await edges_of(session, conversation.id))
    beside = children.get(message.parent_id)
    if beside:
        conversation.head_id = tree.newest_leaf(beside[-1], children)
    else:
        conversation.head_id = message.parent_id
