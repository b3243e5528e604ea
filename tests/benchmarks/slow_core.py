"""A process on a slow core: it gets a share of the processor, and no more, by the kernel's own accounts (cgroups)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD_US = 10_000
GROUPS = Path("/sys/fs/cgroup")


@contextmanager
def slow_core(pid: int, share: float) -> Iterator[None]:
    """`share` of a core for `pid`, with all its threads. Needs root, or a kernel that lets us."""
    is_first_version = (GROUPS / "cpu").is_dir()
    group = (GROUPS / "cpu" if is_first_version else GROUPS) / f"teahouse-bench-{os.getpid()}-{pid}"
    group.mkdir()
    try:
        quota = int(PERIOD_US * share)
        if is_first_version:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(str(pid))
        group.rmdir()
