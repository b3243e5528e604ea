"""Queueing and fairness before it is built: `python -m tests.benchmarks.simulation`.

A discrete-event simulation of the claim's own rule (fewest running first, then who waited longest, a cap per user),
with the costs that tests/benchmarks/scaled.py measures. Numbers for deploy/scaling.md.
"""

import heapq
import random
import statistics
from collections import defaultdict, deque
from dataclasses import dataclass, field

SECONDS = 1800.0
TOKENS, RATE = 400, 20.0  # of an answer; a second
PAUSE = 120.0  # between two messages of a user at work


@dataclass
class Queue:
    """Who waits, who runs: `claim` is jobs/lease.py's rule."""

    slots: int
    per_user: int
    waiting: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    running: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    started: dict[int, float] = field(default_factory=lambda: defaultdict(lambda: -1.0))
    busy: int = 0

    def claim(self, now: float) -> tuple[int, float] | None:
        able = [user for user, jobs in self.waiting.items() if jobs and self.running[user] < self.per_user]
        if self.busy >= self.slots or not able:
            return None
        user = min(able, key=lambda each: (self.running[each], self.started[each], each))
        self.busy += 1
        self.running[user] += 1
        self.started[user] = now
        return user, self.waiting[user].popleft()


def simulate(users: int, slots: int, *, greedy: int = 0, per_user: int = 4, seed: int = 6) -> dict[str, list[float]]:
    """Seconds that messages waited, of ordinary users and of `greedy` ones who keep a hundred in the queue."""
    chance, queue = random.Random(seed), Queue(slots, per_user)
    events: list[tuple[float, int, str, int]] = []
    number = 0

    def at(when: float, what: str, user: int) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (when, number, what, user))

    for user in range(users):
        at(chance.expovariate(1 / PAUSE), "message", user)
    for user in range(users, users + greedy):
        for _ in range(100):
            at(0.0, "message", user)
    waits: dict[str, list[float]] = {"ordinary": [], "greedy": []}
    while events and events[0][0] < SECONDS:
        now, _, what, user = heapq.heappop(events)
        if what == "message":
            queue.waiting[user].append(now)
            if user < users:
                at(now + chance.expovariate(1 / PAUSE), "message", user)
        else:
            queue.busy -= 1
            queue.running[user] -= 1
            if user >= users:
                queue.waiting[user].append(now)
        while (claimed := queue.claim(now)) is not None:
            who, since = claimed
            waits["ordinary" if who < users else "greedy"].append(now - since)
            at(now + chance.expovariate(RATE / TOKENS), "end", who)
    return waits


def told(name: str, waits: list[float]) -> str:
    ordered = sorted(waits) or [0.0]
    p99 = ordered[len(ordered) * 99 // 100]
    return f"{name}: {len(waits)} messages, waited {statistics.median(ordered):.1f} s, one in a hundred {p99:.1f} s"


def main() -> None:
    for users, slots, greedy in ((100, 16, 0), (100, 20, 0), (100, 24, 0), (100, 20, 3), (300, 60, 0), (300, 60, 10)):
        waits = simulate(users, slots, greedy=greedy)
        load = users / PAUSE * TOKENS / RATE / slots
        print(f"{users} users, {greedy} greedy, {slots} slots (load {load:.0%})")
        for name in ("ordinary", "greedy") if greedy else ("ordinary",):
            print("  " + told(name, waits[name]))


if __name__ == "__main__":
    main()
