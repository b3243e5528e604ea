"""How `make test` shares the tests out between its workers, and which files took the longest."""

from collections import defaultdict

import pytest
from xdist.scheduler import LoadScopeScheduling

SLOWEST = 10
# Seconds of a test, by folder, as `make test` shows them: only the order of the files comes from these.
SECONDS = {"browser": 3.0, "cli": 1.0, "conformance": 6.0, "durability": 25.0, "migrations": 3.0, "stack": 8.0}
OTHER_SECONDS = 0.3
# What these files start, they share; each worker that had one of them would start all of it for itself.
SHARING = {
    "the site": ("stack/test_attacks", "stack/test_front", "stack/test_metrics", "stack/test_restart"),
    "the secure site": ("stack/test_tls", "stack/test_upgrade"),
    "the stage": ("browser/test_screens_in_chinese", "browser/test_screens_in_english"),
}
SHARED = {f"tests/{file}.py": what for what, files in SHARING.items() for file in files}


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker takes the tests of one file on one database together, with what they set up.

    The longest files come first: one that starts late is still running when the other workers have nothing left.
    """

    def _split_scope(self, nodeid: str) -> str:
        return SHARED.get(nodeid.partition("::")[0]) or file_of(nodeid)

    def _assign_work_unit(self, node: object) -> None:
        longest = max(self.workqueue, key=lambda scope: sum(map(seconds_of, self.workqueue[scope])))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)


def file_of(nodeid: str) -> str:
    file, _, test = nodeid.partition("::")
    return f"{file} on PostgreSQL" if "postgresql" in test.partition("[")[2] else file


def seconds_of(nodeid: str) -> float:
    return SECONDS.get(nodeid.split("/")[1], OTHER_SECONDS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return FileScheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where to look when the tests have become slow."""
    seconds = defaultdict[str, float](float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[file_of(report.nodeid)] += report.duration
    if sum(seconds.values()) >= 60:
        terminalreporter.section(f"the {SLOWEST} slowest files")
        for file in sorted(seconds, key=seconds.__getitem__, reverse=True)[:SLOWEST]:
            terminalreporter.write_line(f"{seconds[file]:6.1f} s  {file}")
