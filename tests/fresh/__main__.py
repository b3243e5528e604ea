"""`make fresh`: both commands of the README on machines where nothing is installed, bare Debians in folders.

As root, with mmdebstrap; `python3 -m tests.fresh bookworm` for one of them. This machine's Python runs it, not ours.
The bare machine has this machine's network and its settings for reaching registries, and nothing else of it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = "ca-certificates,git,make,python3"
# How this machine reaches registries: names, authorities, proxies, mirrors.
SETTINGS = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs", "/etc/pip.conf")
PERSONAL_SETTINGS = ("~/.config/pip", "~/.config/uv", "~/.npmrc")
# Both are in one machine, and the server ends once the question was answered.
RUN = "make run & python3 tests/fresh/ask.py; code=$?; kill $! 2>/dev/null; wait $! || true; exit $code"
ANSWERED_WITHIN, TESTED_WITHIN = 180, 3600  # seconds


@dataclass(frozen=True)
class Machine:
    """`more`: packages beside the bare ones. Without root nothing is installed by apt, and `make test` is not tried."""

    suite: str
    more: str = ""
    is_root: bool = True


MACHINES = {
    "bookworm": Machine("bookworm"),
    "trixie": Machine("trixie"),
    "unprivileged": Machine("bookworm", more=",python3-venv", is_root=False),
}


def main(wanted: list[str]) -> None:
    if os.geteuid() != 0:
        sys.exit("Run this as root: a bare Debian is made with mmdebstrap and entered with chroot.")
    failed = [name for name in wanted or MACHINES if not tried(name, MACHINES[name])]
    if failed:
        sys.exit(f"Failed on {', '.join(failed)}.")


def tried(name: str, machine: Machine) -> bool:
    root = Path(tempfile.mkdtemp(prefix=f"teahouse-{name}-"))
    try:
        timed(f"{name}: make the machine", lambda: make_machine(machine, root))
        timed(
            f"{name}: make run, to an answer of the built-in model", lambda: inside(machine, root, RUN, ANSWERED_WITHIN)
        )
        if machine.is_root:
            timed(f"{name}: make test", lambda: inside(machine, root, "make test", TESTED_WITHIN))
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"{name}: failed: {error}", flush=True)
        return False
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return True


def timed(what: str, act: Callable[[], object]) -> None:
    began = time.monotonic()
    print(f"--- {what}", flush=True)
    act()
    print(f"--- {what}: {time.monotonic() - began:.0f} s", flush=True)


def make_machine(machine: Machine, root: Path) -> None:
    source = f"deb {mirror()} {machine.suite} main"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}{machine.more}"]
    subprocess.run([*command, machine.suite, str(root), source], check=True)
    for setting in (*SETTINGS, *PERSONAL_SETTINGS, *apt_settings()):
        copy(Path(setting).expanduser(), root)
    # What is committed is tried, nothing that lies around here.
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(root / "teahouse")], check=True)
    if not machine.is_root:
        subprocess.run(["chown", "-R", "1000:1000", str(root / "teahouse")], check=True)


def mirror() -> str:
    shown = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL)", "Created-By: Packages"]
    lines = subprocess.run(shown, check=True, capture_output=True, text=True).stdout.splitlines()
    return next(line.split()[0] for line in lines if line.endswith(" Debian"))


def apt_settings() -> list[str]:
    """Those that an administrator wrote: a package's own may need that package."""
    files = [str(path) for path in Path("/etc/apt/apt.conf.d").iterdir()]
    return [file for file in files if subprocess.run(["dpkg", "-S", file], capture_output=True).returncode != 0]


def copy(path: Path, root: Path) -> None:
    if not path.exists():
        return
    target = root / path.relative_to("/")
    if path.is_dir():
        # The bare machine's own links point to where they would be followed on this one.
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(path, target, ignore_dangling_symlinks=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def command_in(machine: Machine, root: Path, line: str) -> list[str]:
    """A command of that machine: its mounts and processes are its own, and end with it."""
    mounts = f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && mount -t tmpfs tmpfs {root}/run"
    user = "" if machine.is_root else "setpriv --reuid 1000 --regid 1000 --clear-groups "
    home = "/root" if machine.is_root else "/teahouse"
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    enter = f"exec chroot {root} /usr/bin/env HOME={home} PATH={path} {user}bash -c 'cd /teahouse; {line}'"
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", f"{mounts} && {enter}"]


def inside(machine: Machine, root: Path, line: str, timeout: float) -> None:
    subprocess.run(command_in(machine, root, line), check=True, timeout=timeout, env=environment())


def environment() -> dict[str, str]:
    """Settings of this checkout, or of the Python that runs it, are not the bare machine's."""
    ours = ("TEAHOUSE_", "VIRTUAL_ENV", "PYTHON", "MAKE", "MFLAGS")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


if __name__ == "__main__":
    main(sys.argv[1:])
