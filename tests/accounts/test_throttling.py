"""Exactly N pass, whatever the spelling, the address or the hurry. (A37)"""

import asyncio

import pytest

from app.accounts.service import fold
from app.accounts.throttling import MAX_KEPT, Throttle, network_of
from app.errors import AppError


class Clock:
    """Seconds that only a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(600, clock)


def passes(throttle: Throttle, login: str, address: str) -> bool:
    try:
        throttle.begin_sign_in(fold(login), address)
    except AppError as error:
        return not (error.code == "rate_limited" and 1 <= (error.retry_after or 0) <= 60)
    return True


def test_A37_exactly_five_of_a_burst_at_one_account_pass(throttle: Throttle) -> None:
    assert [passes(throttle, "alice", f"10.0.0.{n}") for n in range(100)] == [True] * 5 + [False] * 95


def test_A37_exactly_twenty_of_a_burst_from_one_address_pass(throttle: Throttle) -> None:
    assert [passes(throttle, f"name{n}", "10.0.0.1") for n in range(100)] == [True] * 20 + [False] * 80
    assert passes(throttle, "name99", "10.0.0.2"), "who was turned away by the address has not failed"


def test_A37_every_spelling_of_a_name_is_one_account(throttle: Throttle) -> None:
    spellings = ["alice", "ALICE", "Alice", "ａｌｉｃｅ", "ALICE"]
    assert [passes(throttle, name, f"10.0.0.{n}") for n, name in enumerate(spellings)] == [True] * 5
    assert not passes(throttle, "aLiCe", "10.9.9.9")


def test_A37_a_64_is_one_caller_and_a_mapped_address_is_its_own(throttle: Throttle) -> None:
    burst = [passes(throttle, f"n{n}", f"2001:db8:1:2::{n:x}") for n in range(1, 31)]
    assert sum(burst) == 20
    assert passes(throttle, "other", "2001:db8:1:3::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("2001:DB8:1:2::1") == network_of("2001:0db8:0001:0002:ffff::") == "2001:db8:1:2::/64"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("") == "" and network_of("unix") == "unix"


def test_success_clears_the_account_and_gives_the_address_its_place_back(throttle: Throttle) -> None:
    for _ in range(200):
        throttle.begin_sign_in("alice", "10.0.0.1").succeeded()
    last = throttle.begin_sign_in("alice", "10.0.0.1")
    assert sum(passes(throttle, "alice", "10.0.0.1") for _ in range(9)) == 4
    last.succeeded()
    assert sum(passes(throttle, "alice", "10.0.0.1") for _ in range(9)) == 5, "earlier slips are forgotten"


def test_an_attempt_that_was_not_looked_at_does_not_count(throttle: Throttle) -> None:
    for _ in range(50):
        throttle.begin_sign_in("alice", "10.0.0.1").undecided()


def test_the_window_moves(throttle: Throttle, clock: Clock) -> None:
    for _ in range(5):
        assert passes(throttle, "alice", "10.0.0.1")
        clock.now += 10
    with pytest.raises(AppError) as refused:
        throttle.begin_sign_in("alice", "10.0.0.1")
    assert refused.value.retry_after == 10
    clock.now += 10
    assert passes(throttle, "alice", "10.0.0.1")
    assert not passes(throttle, "alice", "10.0.0.1")


def test_registrations_and_requests_have_windows_of_their_own(clock: Clock) -> None:
    throttle = Throttle(3, clock)
    for _ in range(100):
        throttle.count_registration("10.0.0.1")
    with pytest.raises(AppError) as refused:
        throttle.count_registration("10.0.0.1")
    assert refused.value.retry_after == 3600
    throttle.count_registration("10.0.0.2")
    for _ in range(3):
        throttle.count_request("alice")
    with pytest.raises(AppError):
        throttle.count_request("alice")
    throttle.count_request("bob")
    assert passes(throttle, "alice", "10.0.0.1")


def test_nought_switches_all_of_it_off() -> None:
    throttle = Throttle(0)
    for _ in range(2000):
        throttle.begin_sign_in("alice", "10.0.0.1").failed()
        throttle.count_registration("10.0.0.1")
        throttle.count_request("alice")


def test_a_flood_of_names_fills_no_memory(throttle: Throttle, clock: Clock) -> None:
    for n in range(MAX_KEPT * 2):
        passes(throttle, f"name{n}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    assert len(throttle._taken) <= MAX_KEPT + 1


async def at_home() -> bool:
    return True


async def stranger() -> bool:
    return False


async def test_forty_right_ones_at_once_from_one_address_are_all_let_in(throttle: Throttle) -> None:
    async def sign_in(number: int) -> None:
        attempt = await throttle.admit_sign_in(f"name{number}", "10.0.0.1", stranger)
        await asyncio.sleep(0.01)
        attempt.succeeded()

    await asyncio.wait_for(asyncio.gather(*(sign_in(number) for number in range(40))), 5)


async def test_A37_of_forty_wrong_ones_at_once_exactly_twenty_are_looked_at(throttle: Throttle) -> None:
    async def sign_in(number: int) -> None:
        attempt = await throttle.admit_sign_in(f"name{number}", "10.0.0.1", stranger)
        await asyncio.sleep(0.01)
        attempt.failed()

    ended = await asyncio.gather(*(sign_in(number) for number in range(40)), return_exceptions=True)
    assert ended.count(None) == 20
    assert {error.code for error in ended if isinstance(error, AppError)} == {"rate_limited"}


async def test_who_is_at_home_is_not_kept_out_by_what_others_get_wrong(throttle: Throttle) -> None:
    for number in range(20):
        throttle.begin_sign_in(f"name{number}", "10.0.0.1").failed()
    for number in range(5):
        throttle.begin_sign_in("alice", f"10.9.9.{number}").failed()
    with pytest.raises(AppError):
        await throttle.admit_sign_in("alice", "10.0.0.1", stranger)
    for _ in range(5):
        (await throttle.admit_sign_in("alice", "10.0.0.1", at_home)).failed()
    with pytest.raises(AppError):
        await throttle.admit_sign_in("alice", "10.0.0.1", at_home)


async def test_A37_at_home_too_five_are_all_that_pass(throttle: Throttle) -> None:
    for _ in range(5):
        throttle.begin_sign_in("alice", "10.0.0.1").failed()
    with pytest.raises(AppError):
        await throttle.admit_sign_in("alice", "10.0.0.1", at_home)


async def test_a_known_device_has_a_way_in_of_its_own(throttle: Throttle) -> None:
    for n in range(5):
        throttle.begin_sign_in("alice", f"10.{n}.0.1").failed()
    assert not passes(throttle, "alice", "10.200.0.1")
    (await throttle.admit_sign_in("alice", "10.9.9.9", stranger, on_own_device=True)).succeeded()
    assert passes(throttle, "alice", "10.200.0.1"), "what she gets right forgets what others got wrong"


async def test_a_known_device_may_not_guess_for_ever(throttle: Throttle) -> None:
    for _ in range(5):
        (await throttle.admit_sign_in("alice", "10.9.9.9", stranger, on_own_device=True)).failed()
    for _ in range(5):  # then as from anywhere
        (await throttle.admit_sign_in("alice", "10.9.9.9", stranger, on_own_device=True)).failed()
    with pytest.raises(AppError):
        await throttle.admit_sign_in("alice", "10.9.9.9", stranger, on_own_device=True)


def test_what_strangers_type_is_not_kept(throttle: Throttle) -> None:
    for n in range(20):
        passes(throttle, f"{n}" + "x" * 200, "10.0.0.1")
        throttle.count_registration("x" * 1_000_000 + str(n))
    assert all(len(key) == 16 for _, key in throttle._taken)
