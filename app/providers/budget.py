"""What one reply of a model server may take. The server is not trusted with our memory, nor with the event loop."""

from dataclasses import dataclass

from app.providers.errors import ProviderProtocolError

PIECE = 16 * 1024  # bytes that are looked at before others get their turn
MIB = 1024 * 1024


@dataclass(slots=True)
class Budget:
    """What is left of it. Bytes count as they come, and again as they are unpacked.

    `items`: of a list, that are kept; the others are only counted. `seconds`: from the request to the reply's end;
    None where the job that waits for it has a limit of its own.
    """

    bytes: int
    lines: int
    items: int = 0
    seconds: float | None = None

    def take(self, size: int, lines: int = 0) -> None:
        """Raises ProviderProtocolError when it is used up."""
        self.bytes -= size
        self.lines -= lines
        if self.bytes < 0 or self.lines < 0:
            what = "bytes" if self.bytes < 0 else "lines"
            raise ProviderProtocolError(f"The model server sent too many {what}; no reply is as long as that.")


def for_answer() -> Budget:
    """The longest answer that is kept, with a line and some hundred bytes around each of its characters."""
    return Budget(bytes=512 * MIB, lines=5_000_000)


def for_load() -> Budget:
    return Budget(bytes=MIB, lines=10_000)


def for_pull() -> Budget:
    """A line every 60 ms for six hours comes to 360,000 lines."""
    return Budget(bytes=256 * MIB, lines=2_000_000)


def for_json(seconds: float) -> Budget:
    """All of it is in memory at once, as are the objects that are made of it."""
    return Budget(bytes=3 * MIB // 2, lines=MIB, seconds=seconds)


def for_list(seconds: float) -> Budget:
    """Read item by item, so that its length is no matter of memory."""
    return Budget(bytes=64 * MIB, lines=5_000_000, items=500, seconds=seconds)


def for_error() -> Budget:
    """The beginning of it: of what is longer the rest is not read."""
    return Budget(bytes=64 * 1024, lines=64 * 1024, seconds=5.0)
