"""Children whose `xllamacpp` is the test's own: the real child, which finds another module of that name first."""

import sys
from pathlib import Path

from app.providers.embedded.process import CHILD

LIBGOMP = "libgomp.so.1: cannot open shared object file: No such file or directory"
LIBGOMP_TOLD = (
    "The built-in model needs libgomp.so.1, which this machine lacks. On Debian and Ubuntu: apt install libgomp1"
)
KILLED_BY_SIGILL = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"


def refusing(words: str) -> str:
    """What a module says that cannot load its library."""
    return f"raise ImportError({words!r})"


def child_with(folder: Path, source: str) -> list[str]:
    """Its command. After `repair` it loads the real one."""
    folder.mkdir(exist_ok=True)
    (folder / "xllamacpp.py").write_text(source)
    begin = f"import runpy, sys; sys.path.insert(0, {str(folder)!r}); sys.dont_write_bytecode = True; "
    return [sys.executable, "-I", "-c", begin + f"runpy.run_path({CHILD[-1]!r}, run_name='__main__')"]


def repair(folder: Path) -> None:
    (folder / "xllamacpp.py").unlink()
