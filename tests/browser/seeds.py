"""Conversations as they are after a while of use, put straight into the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app import all_models as all_models
from app.clock import utcnow
from app.conversations.models import Conversation, Message
from app.ids import new_id
from tests.browser import east_asian, right_to_left, stories, tables

MODEL = "ollama/qwen3:8b"
USAGE = {
    "prompt_tokens": 412,
    "completion_tokens": 566,
    "ttft_ms": 420,
    "tokens_per_second": 38.4,
    "context_length": 4096,
}


def seed(data_dir: Path, user_id: str, language: str) -> dict[str, str]:
    """Name to path of the conversations that states are shown in."""
    engine = create_engine(f"sqlite:///{data_dir / 'teahouse.db'}")
    with Session(engine) as session, session.begin():
        sower = _Sower(session, user_id, language)
        for hours, title in stories.TITLES:
            sower.conversation(title.in_(language), hours, [sower.asked(stories.PLAIN_QUESTION), sower.told()])
        for hours, title in stories.ARCHIVED:
            sower.conversation(title.in_(language), hours, [sower.asked(stories.PLAIN_QUESTION)], archived=True)
        return sower.states()


class _Sower:
    def __init__(self, session: Session, user_id: str, language: str) -> None:
        self._session, self._user_id, self._language = session, user_id, language
        self._now: datetime = utcnow()

    def states(self) -> dict[str, str]:
        title = stories.RICH_TITLE.in_(self._language)
        question, rich = self.asked(stories.RICH_QUESTION), self.told(stories.RICH_ANSWER, stories.THOUGHT)
        begin = [self.asked(stories.RICH_QUESTION), self.told(stories.PLAIN_ANSWER), self.asked(stories.PLAIN_QUESTION)]
        half = self.told(status="stopped", finish_reason="cancelled")
        half.content = half.content[: len(half.content) // 2]
        error = {"code": "provider_error", "message": stories.FAILURE, "retryable": True}
        failed = self.told(status="failed", finish_reason=None, error=error, usage=None)
        failed.content = ""
        cut = self.told(finish_reason="length")
        full = self.told(usage={**USAGE, "prompt_tokens": 3300, "completion_tokens": 566})
        long = [self.asked(stories.PLAIN_QUESTION) if n % 2 == 0 else self.told() for n in range(160)]
        used = [(412, 566, 38.4), (1010, 320, 37.1), (1402, 801, 35.9), (2290, 120, 36.6), (2480, 540, 31.2)]
        names = ("prompt_tokens", "completion_tokens", "tokens_per_second")
        several = [
            message
            for figures in used
            for message in (
                self.asked(stories.PLAIN_QUESTION),
                self.told(usage={**USAGE, **dict(zip(names, figures, strict=True))}),
            )
        ]
        paths = {
            "diagram": self.conversation(title, 3000, [self.asked(stories.RICH_QUESTION), self.told(stories.DIAGRAM)]),
            "several": self.conversation(title, 3050, several),
            "rich": self.conversation(title, 0.5, [question, rich], pinned=True),
            "stopped": self.conversation(title, 3100, [*self._copied(begin), half]),
            "failed": self.conversation(title, 3200, [*self._copied(begin), failed]),
            "cut": self.conversation(title, 3300, [*self._copied(begin), cut]),
            "full": self.conversation(title, 3400, [*self._copied(begin), full]),
            "long": self.conversation(title, 3500, long),
            "siblings": self.conversation(title, 3600, [*self._copied(begin), self.told(stories.OTHER_ANSWER)]),
            "arabic": self._writing(right_to_left, "ARABIC", 3700),
            "hebrew": self._writing(right_to_left, "HEBREW", 3800),
            "cjk": self._writing(east_asian, "CJK", 3900),
            "tables": self._writing(tables, "TABLE", 4000),
        }
        self._beside(paths["siblings"])
        return paths

    def asked(self, words: stories.Words) -> Message:
        return Message(role="user", content=words.in_(self._language), status="complete")

    def told(
        self, words: stories.Words = stories.PLAIN_ANSWER, thought: stories.Words | None = None, **how: Any
    ) -> Message:
        thinking = thought.in_(self._language) if thought else ""
        given = {"status": "complete", "finish_reason": "stop", "usage": USAGE, **how}
        return Message(role="assistant", content=words.in_(self._language), thinking=thinking, model=MODEL, **given)

    def _writing(self, where: ModuleType, name: str, hours: float) -> str:
        title, question, answer = (getattr(where, f"{name}_{what}") for what in ("TITLE", "QUESTION", "ANSWER"))
        thought = stories.Words(question, question)
        told = self.told(stories.Words(answer, answer), thought)
        return self.conversation(title, hours, [self.asked(thought), told])

    def _copied(self, messages: Sequence[Message]) -> list[Message]:
        names = ("role", "content", "thinking", "status", "finish_reason", "model", "usage")
        return [Message(**{name: getattr(message, name) for name in names}) for message in messages]

    def conversation(self, title: str, hours: float, messages: Sequence[Message], **how: bool) -> str:
        used = self._now - timedelta(hours=hours)
        parent: str | None = None
        conversation_id = new_id()
        conversation = Conversation(
            id=conversation_id,
            user_id=self._user_id,
            title=title,
            title_origin="user",
            model=MODEL,
            created_at=used,
            updated_at=used,
            **how,
        )
        self._session.add(conversation)
        self._session.flush()
        for number, message in enumerate(messages):
            message.id, message.conversation_id, message.parent_id = new_id(), conversation_id, parent
            message.created_at = used + timedelta(seconds=20 * number)
            self._session.add(message)
            parent = message.id
        conversation.head_id = parent
        self._session.flush()
        return f"/c/{conversation_id}"

    def _beside(self, path: str) -> None:
        """A second answer beside the last one."""
        conversation = self._session.get_one(Conversation, path.rsplit("/", 1)[1])
        head = self._session.get_one(Message, conversation.head_id)
        other = self.told()
        other.id, other.conversation_id, other.parent_id = new_id(), conversation.id, head.parent_id
        other.created_at = head.created_at + timedelta(seconds=5)
        self._session.add(other)
