"""The checker finds what is broken on purpose, and nothing in what is whole."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.jobs.history import Op, check

LOG = [
    (1, "status", {"status": "queued"}),
    (2, "status", {"status": "running"}),
    (3, "delta", {"text": "one "}),
    (4, "delta", {"text": "two "}),
    (5, "restart", {"reason": "r"}),
    (6, "delta", {"text": "again "}),
    (7, "delta", {"text": "and on"}),
    (8, "usage", {}),
    (9, "done", {}),
]
CONTENT = "again and on"


def seen(first: int, last: int, viewer: str = "v") -> list[Op]:
    return [Op(viewer, "event", *line) for line in LOG[first - 1 : last]]


def whole() -> list[Op]:
    """From the start; cut after 4; back; an unnumbered status between."""
    return [
        Op("v", "invoke", 0),
        *seen(1, 4),
        Op("v", "event", None, "status", {"position": 1}),
        Op("v", "info"),
        Op("v", "invoke", 4),
        *seen(5, 9),
        Op("v", "ok"),
    ]


def snapshot(number: int, content: str) -> Op:
    return Op("v", "event", number, "snapshot", {"content": content, "thinking": ""})


@pytest.mark.parametrize(
    "history",
    [
        whole(),
        [Op("v", "invoke", 3), *seen(4, 9), Op("v", "ok")],
        [Op("v", "invoke", 9), *seen(9, 9), Op("v", "ok")],
        [Op("v", "invoke", 2), snapshot(8, CONTENT), *seen(9, 9), Op("v", "ok")],
        [Op("v", "invoke", 99), snapshot(8, CONTENT), *seen(9, 9), Op("v", "ok")],
        [Op("v", "invoke", 0), Op("v", "fail")],
        [Op("v", "invoke", 0), *seen(1, 3), Op("v", "event", None, "reconnect"), Op("v", "info")],
    ],
)
def test_a_whole_history_is_without_blame(history: list[Op]) -> None:
    assert check(history, LOG, CONTENT) == []


def index(history: list[Op], number: int) -> int:
    return next(i for i, op in enumerate(history) if op.kind == "event" and op.id == number)


def without(history: list[Op], number: int) -> list[Op]:
    return [op for op in history if not (op.kind == "event" and op.id == number)]


def twice(history: list[Op], number: int) -> list[Op]:
    at = index(history, number)
    return [*history[: at + 1], *history[at:]]


def swapped(history: list[Op], number: int) -> list[Op]:
    at = index(history, number)
    return [*history[:at], history[at + 1], history[at], *history[at + 2 :]]


def changed(history: list[Op], number: int) -> list[Op]:
    at = index(history, number)
    return [*history[:at], replace(history[at], data={"text": "never written"}), *history[at + 1 :]]


@pytest.mark.parametrize("number", [3, 6, 7])
@pytest.mark.parametrize("breaks", [without, twice, swapped, changed])
def test_a_hole_a_double_a_reorder_and_a_change_are_found(
    breaks: Callable[[list[Op], int], list[Op]], number: int
) -> None:
    assert check(breaks(whole(), number), LOG, CONTENT)


@pytest.mark.parametrize(
    "history",
    [
        [*whole()[:-2], Op("v", "ok")],  # no done
        [*whole()[:-1], *seen(7, 7), Op("v", "ok")],  # something after it
        [*whole()[:-1], *seen(9, 9)],  # twice done
        [Op("v", "invoke", 2), snapshot(8, "too short"), *seen(9, 9), Op("v", "ok")],
        [Op("v", "invoke", 0), *seen(1, 6), snapshot(4, "one two "), *seen(5, 9), Op("v", "ok")],  # back in time
        [Op("v", "invoke", 0), *seen(1, 3), Op("v", "info"), Op("v", "invoke", 5), *seen(6, 9)],  # its own position
        [Op("v", "invoke", 0), Op("v", "event", None, "delta", {"text": "x"})],
        [Op("v", "invoke", 9), Op("v", "event", 10, "delta", {"text": "x"})],
    ],
)
def test_other_broken_histories_are_found(history: list[Op]) -> None:
    assert check(history, LOG, CONTENT)


def test_a_different_end_is_found() -> None:
    assert check(whole(), LOG, "something else") == ["v: ends with 'again and on'"]


def test_each_viewer_is_judged_by_itself() -> None:
    mixed = [op for pair in zip(whole(), [replace(op, viewer="w") for op in whole()], strict=True) for op in pair]
    assert check(mixed, LOG, CONTENT) == []
    assert {line[0] for line in check(without(mixed, 6), LOG, CONTENT)} == {"v", "w"}
