"""Conversations under the day they were last used on, as the reader's clock has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from app.conversations.models import Conversation
from app.i18n import gettext, show_month


@dataclass(frozen=True, slots=True)
class Group:
    """`name` is empty where the group goes on that the stretch before ended with."""

    name: str
    conversations: Sequence[Conversation]


def day_name(then: datetime, now: datetime) -> str:
    """Both on the same clock."""
    days = (now.date() - then.date()).days
    if days <= 0:
        return gettext("Today")
    if days == 1:
        return gettext("Yesterday")
    if days <= 7:
        return gettext("Previous 7 days")
    if days <= 30:
        return gettext("Previous 30 days")
    return show_month(then)


def by_day(
    conversations: Sequence[Conversation],
    here: Callable[[datetime], datetime],
    now: datetime,
    last_seen: datetime | None = None,
) -> list[Group]:
    """Newest first in, newest first out. `last_seen`: where the stretch before ended."""

    def name_of(moment: datetime) -> str:
        return day_name(here(moment), here(now))

    shown = name_of(last_seen) if last_seen else ""
    groups = groupby(conversations, key=lambda conversation: name_of(conversation.updated_at))
    return [Group("" if name == shown else name, list(found)) for name, found in groups]
