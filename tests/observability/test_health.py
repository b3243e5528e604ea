"""Checks: named, timed, and silent about why."""

import asyncio

import pytest

from app.observability import health
from app.observability.health import Checks


async def test_a_check_that_hangs_is_a_check_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "TIMEOUT", 0.05)
    checks = Checks()

    async def good() -> None:
        return None

    async def slow() -> None:
        await asyncio.sleep(10)

    async def bad() -> None:
        raise ValueError("why")

    for name, check in (("good", good), ("slow", slow), ("bad", bad)):
        checks.register(name, check)
    assert await checks.failing() == ["slow", "bad"]
    checks.register("bad", good)
    assert await checks.failing() == ["slow"]
