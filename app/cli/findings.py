"""What an examination finds."""

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable, for scripts and for the manual's table of troubles."""

    code: str
    level: Level
    text: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)
