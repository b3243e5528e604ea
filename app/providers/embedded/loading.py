"""With which libraries the child loads llama.cpp, and what its last words mean where it cannot."""

import os
import re
import secrets
import signal
from pathlib import Path

from app.i18n import worded
from app.providers.embedded.discovery import find_libgomp
from app.providers.errors import ProviderUnusable

_LIBGOMP = "libgomp.so.1"
# Whole sentences: one that is kept on a message is translated only as it stands in the catalogue.
_PACKAGED = {
    _LIBGOMP: worded(
        "The built-in model needs libgomp.so.1, which this machine lacks. On Debian and Ubuntu: apt install libgomp1"
    ),
    "libstdc++.so.6": worded(
        "The built-in model needs libstdc++.so.6, which this machine lacks. "
        "On Debian and Ubuntu: apt install libstdc++6"
    ),
}
_IMPORT_FAILED = re.compile(r"(?:ImportError|ModuleNotFoundError): (.+)")
_LIBRARY_MISSING = re.compile(r"(lib[^\s/]+\.so[.\d]*): cannot open shared object file")


def environment(folder: Path) -> dict[str, str]:
    """The child's. `folder` comes to hold the wheel's libgomp under the name that llama.cpp asks for.

    To preload it would not do: it has another name within. Several processes may make the same link.
    """
    given, library = dict(os.environ), find_libgomp()
    if library is not None:
        folder.mkdir(mode=0o700, exist_ok=True)
        draft = folder / f"{secrets.token_hex(4)}.new"
        draft.symlink_to(library.absolute())
        draft.replace(folder / _LIBGOMP)
        others = given.get("LD_LIBRARY_PATH")
        given["LD_LIBRARY_PATH"] = f"{folder.absolute()}:{others}" if others else str(folder.absolute())
    return given


def unusable(exit_code: int, last_words: str) -> ProviderUnusable | None:
    """What a child's end says, if the next one would end the same way."""
    if exit_code == -signal.SIGILL:
        return ProviderUnusable(worded("The built-in model cannot run: this computer's processor is not supported."))
    failed = _IMPORT_FAILED.match(last_words)
    if failed is None:
        return None
    missing = _LIBRARY_MISSING.search(failed[1])
    if missing is None:
        return ProviderUnusable(worded("The built-in model cannot be loaded: {reason}", reason=failed[1]))
    lacks = worded("The built-in model needs {library}, which this machine lacks.", library=missing[1])
    return ProviderUnusable(_PACKAGED.get(missing[1], lacks))
