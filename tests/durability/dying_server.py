"""A server that kills itself at the Nth visit to the database of a request that says “die”: `… PORT N`."""

import os
import signal
import sys
from typing import Any

from app.db.one_hop import OneHopConnection, OneHopCursor
from app.generations.service import Generations
from app.main import create_app

_left = 0  # visits until the end; 0: nothing is counted


def _visit() -> None:
    global _left
    if _left:
        _left -= 1
        if not _left:
            os.kill(os.getpid(), signal.SIGKILL)


def _arm(visits: int) -> None:
    send, execute, commit = Generations.send_message, OneHopCursor._in_thread, OneHopConnection.commit

    async def send_message(self: Generations, *arguments: Any, content: str, **keywords: Any) -> Any:
        global _left
        _left = visits if content.startswith("die") else 0
        accepted = await send(self, *arguments, content=content, **keywords)
        _visit()  # after the commit, before the 202
        _left = 0  # it lived: what it is asked next must not kill it
        return accepted

    async def in_thread(self: OneHopCursor, *arguments: Any) -> None:
        _visit()
        await execute(self, *arguments)

    def commit_(self: OneHopConnection) -> None:
        _visit()  # inside the transaction, everything written
        commit(self)
        _visit()

    Generations.send_message = send_message  # type: ignore[method-assign]
    OneHopCursor._in_thread = in_thread  # type: ignore[method-assign,assignment]
    OneHopConnection.commit = commit_  # type: ignore[method-assign]


def main() -> None:
    import uvicorn

    _arm(int(sys.argv[2]))
    uvicorn.run(create_app(), port=int(sys.argv[1]), http="httptools", log_config=None, ws="none")


if __name__ == "__main__":
    main()
