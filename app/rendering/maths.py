"""LaTeX to MathML; what cannot be converted is shown as its source."""

import contextlib
import html
from typing import Any

MAX_LENGTH = 4000
MAX_BRACES = 200  # deeper nesting exhausts the converter's recursion


def mathml(source: str, *, display: bool, frame: str) -> str:
    return f'<{frame} class="math">{_converted(source.strip(), display)}</{frame}>'


def _converted(source: str, display: bool) -> str:
    if 0 < len(source) <= MAX_LENGTH and source.count("{") <= MAX_BRACES:
        from latex2mathml.converter import convert_to_element

        # Whatever a library says of what a model wrote: RecursionError among others.
        with contextlib.suppress(Exception):
            return _serialised(convert_to_element(source, display="block" if display else "inline"))
    return f'<code class="math-source">{html.escape(source, quote=False)}</code>'


def _serialised(element: Any) -> str:
    """The converter's own way ends by undoing all escapes: `<` in a text would begin an element."""
    # HTML knows the namespace by itself.
    named = ((name, value) for name, value in element.attrib.items() if name != "xmlns")
    attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in named)
    # It writes its symbols as character references, which are no text of anybody's.
    text = html.escape(html.unescape(element.text or ""), quote=False)
    return f"<{element.tag}{attributes}>{text}{''.join(map(_serialised, element))}</{element.tag}>"
