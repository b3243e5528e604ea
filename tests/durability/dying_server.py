"""A server that kills itself at the Nth step in the database of a request that says “die”: `… PORT N`."""

import os
import signal
import sys
from typing import Any

from sqlalchemy import Engine, event

from app.db.shared_transaction import SharedTransactions
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
    send, make = Generations.send_message, SharedTransactions._make

    async def send_message(self: Generations, *arguments: Any, content: str, **keywords: Any) -> Any:
        global _left
        _left = visits if content.startswith("die") else 0
        accepted = await send(self, *arguments, content=content, **keywords)
        _visit()  # after the commit, before the 202
        _left = 0  # it lived: what it is asked next must not kill it
        return accepted

    def make_(self: SharedTransactions) -> Any:
        made = make(self)
        _visit()  # durable, and nobody has been told
        return made

    Generations.send_message = send_message  # type: ignore[method-assign]
    SharedTransactions._make = make_  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", lambda *_: _visit())
    event.listen(Engine, "commit", lambda _: _visit())  # inside the transaction, everything written


def main() -> None:
    import uvicorn

    _arm(int(sys.argv[2]))
    uvicorn.run(create_app(), port=int(sys.argv[1]), http="httptools", log_config=None, ws="none")


if __name__ == "__main__":
    main()
