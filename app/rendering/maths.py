"""LaTeX to MathML; what cannot be converted is shown as its source."""

import contextlib
import html

MAX_LENGTH = 4000
MAX_BRACES = 200  # deeper nesting exhausts the converter's recursion


def mathml(source: str, *, display: bool, frame: str) -> str:
    return f'<{frame} class="math">{_converted(source.strip(), display)}</{frame}>'


def _converted(source: str, display: bool) -> str:
    if 0 < len(source) <= MAX_LENGTH and source.count("{") <= MAX_BRACES:
        from latex2mathml.converter import convert

        # Whatever a library says of what a model wrote: RecursionError among others.
        with contextlib.suppress(Exception):
            return str(convert(source, display="block" if display else "inline"))
    return f'<code class="math-source">{html.escape(source, quote=False)}</code>'
