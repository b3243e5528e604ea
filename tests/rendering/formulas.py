"""The table of formulas: each as LaTeX, and below it what becomes of it in short, or that it is shown as source."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

PATH = Path(__file__).with_name("formulas.txt")
SOURCE = "as source"
_UNSEEN = str.maketrans("", "", "\u2061\u2063\ufe00\ufe01")


@dataclass(frozen=True, slots=True)
class Formula:
    subject: str
    source: str
    expected: str


def formulas() -> list[Formula]:
    found, subject = [], ""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("## "):
            subject = line.removeprefix("## ")
        elif line.startswith("    "):
            found.append(Formula(subject, lines[number - 1], line.strip()))
    return found


def outline(html: str) -> str:
    """`frac‹1 sup‹n 2››`: what is drawn and how it is put together, without its spacing."""
    if "math-source" in html:
        return SOURCE
    reader = _Outline()
    reader.feed(re.sub(r"<annotation.*?</annotation>", "", html))
    return re.sub(r"\s+", " ", "".join(reader.parts)).replace("‹ ", "‹").replace(" ›", "›").strip()


class _Outline(HTMLParser):
    FLAT = frozenset(("math", "semantics", "mrow", "mi", "mn", "mo", "mspace", "span", "div", "p"))

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._open: list[bool] = []  # whether a bracket was opened for it

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        names = [values["class"] or ""] if tag != "span" and tag != "div" and values.get("class") else []
        names += [values["notation"] or ""] if "notation" in values else []
        names += ["tall"] if "minsize" in values else []
        is_named = tag not in self.FLAT or bool(names)
        if is_named and tag != "mspace":
            name = "" if tag in self.FLAT else tag.removeprefix("m")
            self.parts.append(" " + ".".join(filter(None, (name, *" ".join(names).split()))) + "‹")
        self._open.append(is_named and tag != "mspace")

    def handle_endtag(self, _tag: str) -> None:
        self.parts.append("› " if self._open.pop() else " ")

    def handle_data(self, data: str) -> None:
        self.parts.append(data.translate(_UNSEEN).replace("\u00a0", "_"))
