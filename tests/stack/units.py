"""What of a unit file the stand-in for systemd needs."""

from collections import defaultdict
from pathlib import Path

Sections = dict[str, dict[str, list[str]]]


class Unit:
    """`[Service]` and the rest, line by line; a later line of the same name counts, as systemd has it."""

    def __init__(self, *files: Path) -> None:
        self._sections: Sections = defaultdict(lambda: defaultdict(list))
        for file in files:
            self._read(file.read_text())

    def _read(self, text: str) -> None:
        section = ""
        for line in text.splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif "=" in line and not line.startswith("#"):
                name, value = line.split("=", 1)
                self._sections[section][name].append(value)

    def get(self, section: str, name: str, default: str = "") -> str:
        values = self._sections[section][name]
        return values[-1] if values else default

    def seconds(self, name: str) -> float:
        """A time of `[Service]`; none: 0."""
        value = self.get("Service", name, "0")
        return float(value.removesuffix("min")) * 60 if value.endswith("min") else float(value)
