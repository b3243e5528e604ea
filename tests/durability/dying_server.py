"""A server that kills itself at the Nth step in the database of the next message, if a file says N: `… PORT FILE`.

Each time another one takes its place, forked from a process that has imported everything and opened nothing.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app.db.shared_transaction import SharedTransactions
from app.generations.service import Generations
from app.main import create_app

PR_SET_PDEATHSIG = 1  # a server ends with the process that forks it
_left = 0  # steps until the end; 0: nothing is counted


def _step(*_: Any) -> None:
    global _left
    if _left:
        _left -= 1
        if not _left:
            os.kill(os.getpid(), signal.SIGKILL)


def _asked(file: Path) -> int:
    """Once: whoever comes back with the same message is answered."""
    if not file.exists():
        return 0
    number = int(file.read_text())
    file.unlink()
    return number


def _arm(file: Path) -> None:
    send, make = Generations.send_message, SharedTransactions._make

    async def send_message(self: Generations, *arguments: Any, **keywords: Any) -> Any:
        global _left
        _left = _asked(file)
        accepted = await send(self, *arguments, **keywords)
        _step()  # after the commit, before the 202
        _left = 0  # it lived: what it is asked next must not kill it
        return accepted

    def make_(self: SharedTransactions) -> Any:
        made = make(self)
        _step()  # durable, and nobody has been told
        return made

    Generations.send_message = send_message  # type: ignore[method-assign]
    SharedTransactions._make = make_  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", _step)
    event.listen(Engine, "commit", _step)  # inside the transaction, everything written
    event.listen(Session, "after_commit", _step)  # PostgreSQL shares no transactions


def main() -> None:
    _arm(Path(sys.argv[2]))
    while True:
        child = os.fork()
        if not child:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            uvicorn.run(create_app(), port=int(sys.argv[1]), http="httptools", log_config=None, ws="none")
            return
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
