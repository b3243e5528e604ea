"""A short piece of a day past one machine: what people leave behind when they have gone. `make day` lives all of it.

Memory is not judged here: in seconds a server still learns what it needs.
"""

from dataclasses import replace
from pathlib import Path

from tests.benchmarks.day import Plan, run
from tests.benchmarks.gauges import Gauges, grown


async def test_nothing_is_left_of_people_who_have_gone(tmp_path: Path) -> None:
    told = await run(Plan(people=6, day=6.0, warm_up=4.0, most=4.0, folds=False), tmp_path)
    assert told.tally.wrong == []
    assert told.tally.answers > 20 and told.tally.resumed > 10 and told.tally.cancelled > 0
    assert [line for line in told.grown if "pss_mib" not in line] == []


def test_what_has_grown_is_named() -> None:
    before = Gauges(4, 300.0, 100.0, 100, 20, 5, 25, 8, 10, 1.5, 0, 0)
    assert grown(before, before) == []
    assert grown(before, replace(before, web_pss_mib=320.0, open_files=104, postgres_connections=27)) == []
    worse = {
        "worker_pss_mib": replace(before, worker_pss_mib=110.0),
        "open_files": replace(before, open_files=120),
        "postgres_connections": replace(before, postgres_connections=40),
        "redis_keys": replace(before, redis_keys=9),
        "run_files": replace(before, run_files=6),
        "open_jobs": replace(before, open_jobs=1),
    }
    for name, after in worse.items():
        assert [line.split(":")[0] for line in grown(before, after)] == [name]
