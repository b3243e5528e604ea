"""Moments as sortable text, JSON as compact text."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from app.db.types import from_text, to_text

moments = st.timedeltas(timedelta(0), timedelta(days=2_900_000)).map(
    lambda since: datetime(1970, 1, 1, tzinfo=UTC) + since
)


@given(moments, moments)
def test_text_sorts_as_time_does_and_comes_back_the_same(one: datetime, other: datetime) -> None:
    assert (one < other) == (to_text(one) < to_text(other))
    assert from_text(to_text(one)) == one
    assert len(to_text(one)) == 27


def test_every_zone_is_written_as_utc() -> None:
    moment = datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=8)))
    assert to_text(moment) == "2026-11-24T04:00:00.000000Z"
