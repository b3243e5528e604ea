"""What the server remembers of each request, so that tests can ask."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Received:
    """One request. `disconnected_at` is when the client went away before the answer's end (monotonic)."""

    method: str
    path: str
    headers: dict[str, str]
    query: str = ""
    json: Any = None
    received_at: float = field(default_factory=time.monotonic)
    tokens_sent: int = 0
    disconnected: bool = False
    disconnected_at: float | None = None
    finished: bool = False
    connection: int = 0
    cuts_to: int = 0  # tokens; what is before them is left out without a word, as by Ollama before 0.12

    @property
    def prompt(self) -> str:
        """The last user message."""
        messages = self.json.get("messages", []) if isinstance(self.json, dict) else []
        return next((str(m.get("content", "")) for m in reversed(messages) if m.get("role") == "user"), "")

    @property
    def prefix(self) -> str:
        """The text that a trailing assistant message asks to go on from."""
        messages = self.json.get("messages", []) if isinstance(self.json, dict) else []
        return str(messages[-1]["content"]) if messages and messages[-1].get("role") == "assistant" else ""

    def hang_up(self) -> None:
        self.disconnected = True
        self.disconnected_at = time.monotonic()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


RECORD = web.RequestKey("record", Received)
