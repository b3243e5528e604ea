"""A day of a site in ten minutes: `python -m tests.benchmarks.day`. Does anything grow that should not?

Gunicorn with two web processes, a Celery worker, PostgreSQL, Redis and the scripted model server, each a process of
its own. People come as a day has it, few at night. What is held after an hour of the densest traffic is compared with
what is held after the whole day.
"""

import argparse
import asyncio
import math
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from tests.benchmarks.gauges import Gauges, Site, grown, slope
from tests.benchmarks.servers import model_server, start_teahouse
from tests.benchmarks.visits import Person, Tally, visit
from tests.conformance.configurations import worker_on
from tests.conformance.conftest import settings_for
from tests.ports import free_port
from tests.postgres import postgres_server
from tests.redis import redis_server

HOURS = 24
NIGHT = 0.05  # of the densest hour
SAMPLE_SECONDS = 10.0
SETTLE_SECONDS = 180
OPEN_STATES = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
UNFOLDED = "SELECT count(*) FROM job_events"


def busy(hour: float) -> float:
    """How many come at this hour, 1 at the densest: quiet from eleven to seven, most in the afternoon."""
    return max(NIGHT, math.sin(math.pi * (hour - 7) / 16))


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds, and visits a second at the densest hour."""

    people: int = 60
    day: float = 600.0
    warm_up: float = 60.0
    most: float = 3.0
    folds: bool = True  # wait until the logs of ended answers are gone, a minute

    def visits(self, chance: random.Random) -> Iterator[float]:
        """When somebody comes, in seconds from midnight."""
        now = 0.0
        while (now := now + chance.expovariate(self.most)) < self.day:
            if chance.random() < busy(now / self.day * HOURS):
                yield now


@dataclass(frozen=True, slots=True)
class Told:
    before: Gauges
    after: Gauges
    most_pss_mib: float
    mib_an_hour: float  # how memory went in the second half of the day, by the clock on the wall
    tally: Tally

    @property
    def grown(self) -> list[str]:
        return grown(self.before, self.after)


@contextmanager
def open_site(folder: Path) -> Iterator[tuple[str, Site]]:
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(postgres_server(forgetful=False)), stack.enter_context(redis_server())
        model = stack.enter_context(model_server())
        url = postgres.new_database()
        values = {"database_url": url, "redis_url": redis.url}
        settings = settings_for("celery", folder / "worker", int(model.rpartition(":")[2]), **values)
        worker = stack.enter_context(worker_on(settings))
        own = {"DATABASE_URL": url, "REDIS_URL": redis.url, "JOBS_ENGINE": "celery", "WORKERS": "2"}
        own["SECRET_KEY"] = settings.secret_key
        (folder / "web").mkdir()
        variables = {f"TEAHOUSE_{name}": value for name, value in own.items()}
        web = start_teahouse(folder / "web", model, free_port(), **variables)
        stack.callback(web.stop)
        worker.wait()
        runs = (folder / "web" / "run", folder / "worker" / "run")
        yield web.url, Site(web.pid, worker.process.pid, runs, url, redis.url)


async def run(plan: Plan, folder: Path, *, seed: int = 6) -> Told:
    with open_site(folder) as (url, site):
        chance, tally = random.Random(seed), Tally()
        people = [Person(f"person{number}") for number in range(plan.people)]
        for person in people:
            await visit(url, person, chance, tally, is_new=True)
        noon = [number / plan.most for number in range(int(plan.warm_up * plan.most))]
        await _live(url, people, noon, chance, tally)
        await _settled(site, plan)
        before = site.read()
        samples: list[tuple[float, float]] = []
        watching = asyncio.create_task(_sample(site, samples))
        await _live(url, people, plan.visits(chance), chance, tally)
        watching.cancel()
        await _settled(site, plan)
        after = site.read()
        samples.append((time.monotonic(), site.pss_mib()))
        second = samples[len(samples) // 2 :]
        return Told(before, after, max(pss for _, pss in samples), slope(second) * 3600, tally)


async def _live(url: str, people: list[Person], moments: Iterable[float], chance: random.Random, tally: Tally) -> None:
    """Whoever comes has a free moment: nobody is here twice at once."""
    began, free = time.monotonic(), list(people)
    here: set[asyncio.Task[None]] = set()

    async def come(person: Person, own: random.Random) -> None:
        await visit(url, person, own, tally)
        free.append(person)

    for moment in moments:
        await asyncio.sleep(began + moment - time.monotonic())
        if free:
            person = free.pop(chance.randrange(len(free)))
            coming = asyncio.create_task(come(person, random.Random(chance.random())))
            here.add(coming)
            coming.add_done_callback(here.discard)
    await asyncio.gather(*here)


async def _sample(site: Site, samples: list[tuple[float, float]]) -> None:
    while True:
        samples.append((time.monotonic(), site.pss_mib()))
        await asyncio.sleep(SAMPLE_SECONDS)


async def _settled(site: Site, plan: Plan) -> None:
    """Titles are written, and what was only needed while people watched is gone."""
    with psycopg.connect(site.database_url, autocommit=True) as database:
        for query in (OPEN_STATES, UNFOLDED) if plan.folds else (OPEN_STATES,):
            for _ in range(SETTLE_SECONDS):
                if not (database.execute(query).fetchone() or (0,))[0]:
                    break
                await asyncio.sleep(1)
    await asyncio.sleep(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long the day takes")
    parser.add_argument("--warm-up", type=float, default=60.0, help="seconds of the densest traffic before it")
    parser.add_argument("--seed", type=int, default=6)
    arguments = parser.parse_args()
    plan = Plan(day=arguments.seconds, warm_up=arguments.warm_up)
    with tempfile.TemporaryDirectory(prefix="teahouse-day-") as folder:
        told = asyncio.run(run(plan, Path(folder), seed=arguments.seed))
    done = asdict(told.tally)
    wrong = done.pop("wrong")
    print(", ".join(f"{count} {what}" for what, count in done.items()))
    print(f"{'':<22}{'before':>10}{'after':>10}")
    for name, old in asdict(told.before).items():
        print(f"{name:<22}{old:>10}{getattr(told.after, name):>10}")
    print(f"most memory {told.most_pss_mib:.0f} MiB; in the second half {told.mib_an_hour:+.1f} MiB an hour")
    for line in (*told.grown, *wrong[:20]):
        print("NOT AS PROMISED:", line)
    raise SystemExit(bool(told.grown or wrong))


if __name__ == "__main__":
    main()
