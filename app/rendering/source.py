"""Text before it is Markdown: line ends, NUL, byte order mark and lone surrogates; and text shown as it is."""

import html
import re

PLAIN_BLOCK = 8 * 1024

_SURROGATE = re.compile("[\ud800-\udfff]")


class Cleaner:
    """Cleans text piece by piece; the sum does not depend on where it was cut."""

    def __init__(self) -> None:
        self._began = False
        self._carry = ""

    def feed(self, piece: str) -> str:
        if not self._began and piece:
            self._began = True
            piece = piece.removeprefix("\ufeff")
        piece = self._carry + piece
        # A carriage return waits: the next piece may begin with its line feed.
        self._carry = "\r" if piece.endswith("\r") else ""
        piece = piece.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        return piece if piece.isascii() else _SURROGATE.sub("\ufffd", piece)

    def finish(self) -> str:
        carry, self._carry = self._carry, ""
        return "\n" if carry else ""


def clean_text(text: str) -> str:
    """Line ends as \\n; no NUL, byte order mark or lone surrogate."""
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.finish()


def as_text(text: str) -> str:
    """The stylesheet says why, in the reader's language."""
    return f'<pre class="unformatted" dir="auto">{html.escape(text, quote=False)}</pre>\n'


def plain_blocks(text: str) -> list[str]:
    """Long text as it is, in blocks of which only the last can still grow."""
    return [as_text(text[at : at + PLAIN_BLOCK]) for at in range(0, len(text), PLAIN_BLOCK)]


def escape_text(text: str) -> str:
    """A person's message: text, with its paragraphs and line breaks."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", clean_text(text).strip("\n"))
    lines = ("<br>".join(html.escape(paragraph, quote=False).split("\n")) for paragraph in paragraphs)
    return "".join(f'<p dir="auto">{line}</p>\n' for line in lines if line.strip())
