"""What the manuals tell people to type, step by step."""

import re
from pathlib import Path

MANUAL = Path(__file__).parents[2] / "deploy" / "README.md"
_BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.M | re.S)


def sections(manual: Path = MANUAL) -> dict[str, str]:
    """The text of each, by its title."""
    parts = manual.read_text().split("\n## ")[1:]
    return {title: text for title, _, text in (part.partition("\n") for part in parts)}


def blocks(section: str, manual: Path = MANUAL) -> list[str]:
    """Each block of commands of the section, in order, as it is to be typed."""
    text = sections(manual)[section]
    return ["\n".join(line.removeprefix(indent) for line in body.splitlines()) for indent, body in _BLOCK.findall(text)]


def commands(block: str) -> list[str]:
    """Line by line; one with a document inside (`<<'END'`), or that a backslash continues, is one command."""
    found: list[str] = []
    ending = ""
    for line in block.splitlines():
        if ending:
            found[-1] += f"\n{line}"
            ending = "" if line == ending else ending
        elif found and found[-1].endswith("\\"):
            found[-1] += f"\n{line}"
        elif line.strip():
            found.append(line)
            document = re.search(r"<<'(\w+)'$", line)
            ending = document[1] if document else ""
    return found
