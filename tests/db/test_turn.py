"""One writer at a time, the urgent first, in order, whoever gives up."""

import asyncio

import pytest

from app.db.turn import Turn


async def take(turn: Turn, name: str, order: list[str], *, urgent: bool = False) -> None:
    async with turn.take(urgent=urgent):
        order.append(name)
        await asyncio.sleep(0)


async def test_the_urgent_go_first_and_each_line_keeps_its_order() -> None:
    turn, order = Turn(), list[str]()
    async with turn.take():
        tasks = [asyncio.create_task(take(turn, name, order, urgent=name.isupper())) for name in "abACBc"]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == ["A", "C", "B", "a", "b", "c"]


async def test_two_never_hold_it_at_once() -> None:
    turn, inside, most = Turn(), 0, 0

    async def work(urgent: bool) -> None:
        nonlocal inside, most
        async with turn.take(urgent=urgent):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work(number % 3 == 0) for number in range(100)))
    assert most == 1


@pytest.mark.parametrize("yields", [0, 1, 2])
async def test_who_gives_up_while_it_is_handed_over_passes_it_on(yields: int) -> None:
    turn, order = Turn(), list[str]()
    async with turn.take():
        impatient = asyncio.create_task(take(turn, "impatient", order))
        patient = asyncio.create_task(take(turn, "patient", order))
        await asyncio.sleep(0)
        if yields == 0:
            impatient.cancel()
    for _ in range(yields - 1):
        await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait_for(patient, 1)
    assert impatient.cancelled() or impatient.exception() is None
    assert order[-1] == "patient"
    await asyncio.wait_for(take(turn, "next", order), 1)


async def test_an_error_inside_gives_it_back() -> None:
    turn = Turn()
    with pytest.raises(ZeroDivisionError):
        async with turn.take():
            raise ZeroDivisionError
    async with asyncio.timeout(1), turn.take():
        pass
