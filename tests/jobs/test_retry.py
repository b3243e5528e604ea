"""Doubling with jitter, within bounds."""

from app.jobs.retry import delay


def test_delays_double_up_to_half_a_minute_and_are_never_in_step() -> None:
    for failures in range(40):
        middle = min(30.0, 0.5 * 2.0**failures)
        found = [delay(failures) for _ in range(50)]
        assert all(0.5 * middle <= seconds <= 1.5 * middle for seconds in found)
        assert len(set(found)) > 40


def test_any_number_of_failures_has_a_delay() -> None:
    assert delay(10**9) <= 45
