"""How many tokens a user may have in a day: reserved with the 202, settled with the answer's end.

Both are steps of the transaction that they belong to, so that a refusal leaves nothing and a crash loses nothing. What
a title costs is the server's own affair.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import utcnow
from app.db.turn import hold
from app.errors import AppError, ErrorKind
from app.generations.models import TokenDay
from app.i18n import worded
from app.jobs.lease import Connection

RESERVATION = "reserved"  # in the job's payload: [day, tokens]
EXPECTED_TOKENS = 1_000  # of an answer whose length nobody has limited
CHARACTERS_PER_TOKEN = 4  # where no server counts
MOST_COUNTED = 1_000_000_000  # tokens, of an answer and of a day: twice that fits into the column

# One statement, so that of many at once each sees what the others have reserved.
_RESERVE = text(
    """
    INSERT INTO token_days (user_id, day, used, reserved) VALUES (:user_id, :day, 0, :tokens)
    ON CONFLICT (user_id, day) DO UPDATE SET reserved = token_days.reserved + :tokens
    RETURNING used + reserved
    """
)
_SETTLE = """
INSERT INTO token_days (user_id, day, used, reserved) VALUES (:user_id, :day, :tokens, 0)
ON CONFLICT (user_id, day) DO UPDATE SET
  used = CASE WHEN token_days.used < :most THEN token_days.used + :tokens ELSE token_days.used END,
  reserved = CASE WHEN token_days.reserved > :reserved THEN token_days.reserved - :reserved ELSE 0 END
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A user's tokens of today (UTC); `limit` 0: none. `ends_at`: when the next day begins."""

    used: int
    reserved: int
    limit: int
    ends_at: datetime


async def of_today(session: AsyncSession, user_id: str, limit: int) -> Allowance:
    now = utcnow()
    row = await session.get(TokenDay, (user_id, _day(now)))
    return Allowance(row.used if row else 0, row.reserved if row else 0, limit, _next_day(now))


async def reserve(session: AsyncSession, user_id: str, content: str, options: dict[str, Any], limit: int) -> list[Any]:
    """What the job's payload keeps. Raises when the day's tokens do not reach: then nothing is made at all."""
    now = utcnow()
    wanted = len(content) // CHARACTERS_PER_TOKEN + (options.get("max_tokens") or EXPECTED_TOKENS)
    tokens = min(wanted, limit)  # a small allowance can be used up, too
    which = {"user_id": user_id, "day": _day(now), "tokens": tokens}
    if (await session.execute(_RESERVE, which)).scalar_one() > limit:
        seconds = int((_next_day(now) - now).total_seconds()) + 1
        detail = worded("Your {limit} tokens of today are used up, or kept for answers under way.", limit=limit)
        raise AppError(ErrorKind.rate_limited, "tokens_used_up", detail, retry_after=seconds)
    return [which["day"], tokens]


def settle(connection: Connection, user_id: str, payload: str, usage: dict[str, Any] | None, characters: int) -> None:
    """What an answer came to, by its server's count or by its `characters`, in the place of what was reserved."""
    day, reserved = orjson.loads(payload).get(RESERVATION) or (_day(utcnow()), 0)
    counts = [(usage or {}).get(name) for name in ("prompt_tokens", "completion_tokens")]
    tokens = min(sum(filter(None, counts)) or characters // CHARACTERS_PER_TOKEN, MOST_COUNTED)
    if tokens or reserved:
        hold(connection, "tokens")  # a commit ends answers of many: two that met the same users would wait in a circle
        settled = {"user_id": user_id, "day": day, "tokens": tokens, "reserved": reserved, "most": MOST_COUNTED}
        connection.execute(_SETTLE, settled)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _next_day(moment: datetime) -> datetime:
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)
