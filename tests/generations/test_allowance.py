"""Tokens a day: reserved with the 202, settled with the end; a refusal leaves nothing."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.accounts.principal import Principal
from app.errors import AppError, ErrorKind
from app.generations import allowance
from app.generations.models import TokenDay
from tests.generations.asking import MakeSettings, Talk, new_talk
from tests.jobs.waiting import until
from tests.process import Process, running

LIMIT = 3000


async def tokens(process: Process, user: Principal) -> tuple[int, int]:
    """(used, reserved) of today."""
    async with process.database.read() as session:
        today = await allowance.of_today(session, user.user_id, LIMIT)
    return today.used, today.reserved


async def test_A62_what_is_reserved_is_settled_by_the_servers_own_count(
    make_settings: MakeSettings, alice: Principal
) -> None:
    async with running(make_settings(max_tokens_per_day=LIMIT)) as process:
        talk = await new_talk(process, alice)
        sent = await talk.send("tea [[tokens=20 rate=50]]")
        used, reserved = await tokens(process, alice)
        assert (used, reserved) == (0, 1000 + len("tea [[tokens=20 rate=50]]") // 4)
        answer = await talk.ended(sent)
        assert answer.usage is not None
        counted = answer.usage["prompt_tokens"] + answer.usage["completion_tokens"]
        assert await tokens(process, alice) == (counted, 0)


@pytest.mark.parametrize("count", ["18446744073709551615", "18446744073709551616", "9223372036854775807", "-1000000"])
async def test_A62_a_count_that_is_nonsense_costs_no_answer_and_pays_nothing_back(
    count: str, make_settings: MakeSettings, alice: Principal
) -> None:
    async with running(make_settings(max_tokens_per_day=LIMIT)) as process:
        answer = await (await new_talk(process, alice)).ask(f"tea [[tokens=20 fault=counts:{count}:{count}]]")
        assert (answer.status, answer.finish_reason) == ("complete", "stop")
        assert answer.usage is not None
        assert (answer.usage["prompt_tokens"], answer.usage["completion_tokens"]) == (None, None)
        used, reserved = await tokens(process, alice)
        assert len(answer.content) // 4 <= used < LIMIT
        assert reserved == 0


async def test_A62_a_day_of_tokens_fits_into_its_column(make_settings: MakeSettings, alice: Principal) -> None:
    async with running(make_settings(max_tokens_per_day=0)) as process:
        talk = await new_talk(process, alice)
        for _ in range(12):
            assert (await talk.ask("tea [[tokens=1 fault=counts:100000000:100000000]]")).status == "complete"
        assert (await tokens(process, alice))[0] == allowance.MOST_COUNTED


async def test_A62_over_it_is_a_429_until_midnight_and_nothing_is_made(
    make_settings: MakeSettings, alice: Principal, bob: Principal
) -> None:
    async with running(make_settings(max_tokens_per_day=LIMIT)) as process:
        talk = await new_talk(process, alice)
        for _ in range(2):
            await talk.send("tea [[tokens=endless rate=20]]")
        made = await _rows(process)
        with pytest.raises(AppError) as refused:
            await talk.send("more tea")
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0) + timedelta(days=1)
        assert (refused.value.kind, refused.value.code) == (ErrorKind.rate_limited, "tokens_used_up")
        assert refused.value.retry_after == pytest.approx((midnight - datetime.now(UTC)).total_seconds(), abs=5)
        assert await _rows(process) == made
        assert (await tokens(process, alice))[1] <= LIMIT
        await (await new_talk(process, bob)).send("his own are his own")


async def test_A62_of_many_at_once_no_more_pass_than_there_are_tokens(
    make_settings: MakeSettings, alice: Principal
) -> None:
    async with running(make_settings(max_tokens_per_day=LIMIT)) as process:
        talk = await new_talk(process, alice)
        sent = await asyncio.gather(
            *(talk.send("tea [[tokens=endless rate=20]]") for _ in range(20)), return_exceptions=True
        )
        assert sum(not isinstance(one, BaseException) for one in sent) == 2


@pytest.mark.parametrize("fault", ["", "status:400"])
async def test_what_ends_without_a_count_gives_back_what_it_had_reserved(
    make_settings: MakeSettings, alice: Principal, fault: str
) -> None:
    async with running(make_settings(max_tokens_per_day=LIMIT)) as process:
        talk = await new_talk(process, alice)
        sent = await talk.send(f"tea [[tokens=endless rate=50 fault={fault}]]")
        if not fault:
            await _begun(talk, sent.job.id)
            await process.endings.cancel(alice, sent.job.id)
        await talk.ended(sent)
        used, reserved = await tokens(process, alice)
        assert reserved == 0
        assert (used > 0) == (not fault)  # what was written before it was stopped has been had


async def test_a_small_allowance_can_be_used_up_too_and_yesterdays_is_over(
    make_settings: MakeSettings, alice: Principal
) -> None:
    async with running(make_settings(max_tokens_per_day=40)) as process:
        async with process.database.transaction() as session:
            session.add(TokenDay(user_id=alice.user_id, day="2020-01-01", used=40, reserved=0))
        talk = await new_talk(process, alice)
        assert (await talk.ask("tea")).status == "complete"


async def test_without_a_limit_it_is_counted_all_the_same(talk: Talk, alice: Principal, process: Process) -> None:
    answer = await talk.ask("tea")
    assert answer.usage is not None
    assert await tokens(process, alice) == (answer.usage["prompt_tokens"] + answer.usage["completion_tokens"], 0)


async def _begun(talk: Talk, job_id: str) -> None:
    async def has_begun() -> bool:
        return (await talk.job(job_id)).last_event_id > 5

    await until(has_begun)


async def _rows(process: Process) -> list[int]:
    tables = ("jobs", "messages", "job_events WHERE event = 'status' AND seq = 1")
    return [(await process.database.lookup.all(f"SELECT count(*) FROM {table}", {}))[0][0] for table in tables]
