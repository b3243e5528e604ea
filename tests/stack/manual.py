"""What deploy/README.md tells an operator to type, step by step."""

import re
from pathlib import Path

MANUAL = Path(__file__).parents[2] / "deploy" / "README.md"
_BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.M | re.S)


def blocks(section: str) -> list[str]:
    """Each block of commands of the section, in order, as it is to be typed."""
    text = MANUAL.read_text().split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return ["\n".join(line.removeprefix(indent) for line in body.splitlines()) for indent, body in _BLOCK.findall(text)]


def commands(block: str) -> list[str]:
    """Line by line; one with a document inside (`<<'END'`) is one command."""
    found: list[str] = []
    ending = ""
    for line in block.splitlines():
        if ending:
            found[-1] += f"\n{line}"
            ending = "" if line == ending else ending
        elif line.strip():
            found.append(line)
            document = re.search(r"<<'(\w+)'$", line)
            ending = document[1] if document else ""
    return found
