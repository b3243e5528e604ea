"""Under which day a conversation stands."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app import i18n
from app.conversations.models import Conversation
from app.web.days import by_day, day_name

NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    token = i18n.locale.set("en")
    yield
    i18n.locale.reset(token)


def used(**ago: float) -> Conversation:
    return Conversation(updated_at=NOW - timedelta(**ago))


def here(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        ({"minutes": -5}, "Today"),  # by a clock that is ahead of ours
        ({"hours": 12}, "Today"),
        ({"hours": 12, "seconds": 1}, "Yesterday"),
        ({"days": 1, "hours": 12}, "Yesterday"),
        ({"days": 2}, "Previous 7 days"),
        ({"days": 7}, "Previous 7 days"),
        ({"days": 8}, "Previous 30 days"),
        ({"days": 30}, "Previous 30 days"),
        ({"days": 31}, "February 2026"),
        ({"days": 400}, "February 2025"),
    ],
)
def test_days_are_named_the_near_ones_closer(ago: dict[str, float], expected: str) -> None:
    assert day_name(NOW - timedelta(**ago), NOW) == expected


def test_midnight_is_the_readers() -> None:
    late = datetime(2026, 3, 14, 20, 0, tzinfo=UTC)
    for zone, expected in (("UTC", "Yesterday"), ("Asia/Shanghai", "Today"), ("America/Los_Angeles", "Yesterday")):
        there = ZoneInfo(zone)
        assert day_name(late.astimezone(there), NOW.astimezone(there)) == expected, zone


def test_each_day_has_one_heading_in_order() -> None:
    listed = [used(hours=1), used(hours=2), used(days=1), used(days=3), used(days=5), used(days=60)]
    groups = by_day(listed, here, NOW)
    assert [(group.name, len(group.conversations)) for group in groups] == [
        ("Today", 2),
        ("Yesterday", 1),
        ("Previous 7 days", 2),
        ("January 2026", 1),
    ]
    assert [c for group in groups for c in group.conversations] == listed


def test_a_stretch_goes_on_under_the_heading_before() -> None:
    groups = by_day([used(days=5), used(days=20)], here, NOW, last_seen=NOW - timedelta(days=3))
    assert [group.name for group in groups] == ["", "Previous 30 days"]
    fresh = by_day([used(days=20)], here, NOW, last_seen=NOW - timedelta(days=3))
    assert [group.name for group in fresh] == ["Previous 30 days"]


def test_nothing_has_no_heading() -> None:
    assert by_day([], here, NOW) == []
