"""Texts that would do something if they were more than text."""

import re
from pathlib import Path

PATH = Path(__file__).with_name("xss_payloads.txt")
_ESCAPE = re.compile(r"\\(n|\\|x[0-9a-f]{2}|0|u[0-9a-f]{4})")
_SHORT = {"n": "\n", "\\": "\\", "0": "\0"}


def load_payloads() -> list[str]:
    """One a line; \\n, \\0, \\x.., \\u.... and \\\\ stand for what they do in Python."""
    lines = PATH.read_text(encoding="utf-8").split("\n")
    return [_ESCAPE.sub(_unescaped, line) for line in lines if line.strip()]


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return _SHORT.get(code) or chr(int(code[1:], 16))
