"""Short texts full of Markdown's corners: every few neighbouring lines of a collection ordered by chapter."""

from pathlib import Path

PATH = Path(__file__).with_name("markdown_corpus.txt")
# Characters that no editor would leave alone.
_NAMES = {
    "@BOM": "\ufeff",
    "@CR": "\r",
    "@LF": "\n",
    "@NUL": "\0",
    "@SUR": "\ud800",
    "@FF": "\x0c",
    "@VT": "\x0b",
    "@LS": "\u2028",
}


def chapters() -> dict[str, str]:
    text = PATH.read_text(encoding="utf-8")
    for name, char in _NAMES.items():
        text = text.replace(name, char)
    parts = (part.partition("\n") for part in text.split("~~chapter ")[1:])
    return {name: body for name, _, body in parts}


def examples(lines: int = 5, step: int = 2) -> list[str]:
    found = []
    for body in chapters().values():
        all_lines = body.split("\n")
        found += ["\n".join(all_lines[at : at + lines]) for at in range(0, len(all_lines), step)]
    return sorted({text for text in found if text.strip()})
