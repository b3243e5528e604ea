"""Inboxes of viewers, and the bell between processes."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from app.jobs import notify
from app.jobs.lease import StoredEvent
from app.jobs.notify import MAX_WAITING_BYTES, Bell, Hub, Subscription
from tests.jobs.waiting import until


def delta(seq: int, text: str = "x") -> StoredEvent:
    return StoredEvent(seq, "delta", text)


async def test_a_viewer_gets_its_own_jobs_events_only() -> None:
    hub = Hub()
    with hub.watch("a") as one, hub.watch("a") as two, hub.watch("b") as other:
        assert len(hub) == 3
        hub.publish("a", [delta(1), delta(2)])
        assert [event.seq for event in one.take()] == [1, 2]
        assert [event.seq for event in two.take()] == [1, 2]
        assert other.take() == []
        assert one.take() == []


async def test_F29_nothing_is_left_of_viewers_who_left() -> None:
    hub = Hub()
    for number in range(1000):
        with hub.watch(f"{number % 7}"):
            pass
    assert len(hub) == 0
    assert hub.watched() == set()
    hub.publish("1", [delta(1)])


async def test_waiting_ends_with_an_event_a_wake_or_its_time() -> None:
    subscription = Subscription()
    waiter = asyncio.create_task(subscription.wait(60))
    await asyncio.sleep(0)
    subscription.put([delta(1)])
    await asyncio.wait_for(waiter, 1)
    await asyncio.wait_for(subscription.wait(60), 1)  # what is there already is not waited for
    subscription.take()
    waiter = asyncio.create_task(subscription.wait(60))
    await asyncio.sleep(0)
    subscription.wake()
    await asyncio.wait_for(waiter, 1)
    await asyncio.wait_for(subscription.wait(0.01), 1)


async def test_F30_an_inbox_overflows_rather_than_grow() -> None:
    subscription = Subscription()
    for seq in range(1, 200):
        subscription.put([delta(seq, "x" * 1024)])
    assert subscription.overflowed
    assert subscription.events == []
    await asyncio.wait_for(subscription.wait(60), 1)


async def test_one_event_larger_than_the_inbox_is_let_in() -> None:
    subscription = Subscription()
    subscription.put([delta(1, "x" * (2 * MAX_WAITING_BYTES))])
    assert not subscription.overflowed
    assert len(subscription.take()) == 1


async def test_a_drain_wakes_everybody() -> None:
    hub = Hub()
    with hub.watch("a") as one, hub.watch("b") as two:
        waiters = [asyncio.create_task(viewer.wait(60)) for viewer in (one, two)]
        await asyncio.sleep(0)
        hub.drain()
        await asyncio.wait_for(asyncio.gather(*waiters), 1)
    assert hub.draining


@pytest.mark.parametrize("has_proc", [True, False])
async def test_a_bell_is_heard_by_the_others_and_not_by_itself(
    tmp_path: Path, has_proc: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_proc:
        monkeypatch.setattr(notify, "_PROC", tmp_path / "nothing")
    heard: Counter[tuple[str, bytes]] = Counter()
    bells = [Bell(tmp_path, name, lambda kind, name=name: heard.update([(name, kind)])) for name in "abc"]  # type: ignore[misc]
    for bell in bells:
        bell.start()
    bells[0].look_around()
    bells[0].ring(b"e")
    bells[0].ring(b"j")
    await until(lambda: len(heard) == 4)
    assert set(heard) == {(name, kind) for name in "bc" for kind in (b"e", b"j")}
    bells[1].close()
    bells[0].ring(b"e")  # nobody there any more: no error
    await until(lambda: heard["c", b"e"] == 2)
    for bell in (bells[0], bells[2]):
        bell.close()
    assert list(tmp_path.glob("*.sock")) == []


async def test_a_run_folder_deeper_than_a_sockets_path_may_be_still_rings(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    heard: list[bytes] = []
    one, two = Bell(deep, "a", lambda kind: None), Bell(deep, "b", heard.append)
    two.start()
    one.start()
    one.ring(b"e")
    await until(lambda: heard == [b"e"])
    one.close()
    two.close()


async def test_many_rings_before_anybody_listens_are_one_call_of_each_kind(tmp_path: Path) -> None:
    heard: list[bytes] = []
    one, two = Bell(tmp_path, "a", lambda kind: None), Bell(tmp_path, "b", heard.append)
    two.start()
    one.start()
    for _ in range(5):
        one.ring(b"e")
    await until(lambda: heard)
    assert heard == [b"e"]
    one.close()
    two.close()
