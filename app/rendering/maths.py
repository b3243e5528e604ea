"""LaTeX to MathML; what cannot be converted is shown as its source."""

import contextlib
import html
import threading
from typing import Any

from app.rendering.latex import rewritten
from app.rendering.latex_commands import MACROS
from app.rendering.latex_limits import is_refused, leaves_brackets_open
from app.rendering.math_styles import with_classes
from app.rendering.math_tables import without_last_row

MAX_LENGTH = 4000
MAX_OUTPUT = 300_000  # characters of MathML
MAX_EXPANSIONS = 500  # of our own macros, which do not repeat their arguments

_kept = threading.local()


def mathml(source: str, *, display: bool, frame: str) -> str:
    shown = typeset(source, display=display)
    shown = shown or f'<code class="math-source" title="LaTeX">{html.escape(source.strip(), quote=False)}</code>'
    return f'<{frame} class="math">{shown}</{frame}>'


def typeset(source: str, *, display: bool) -> str:
    """Nothing where it cannot be."""
    source = source.strip()
    # Whatever a library says of what a model wrote.
    with contextlib.suppress(Exception):
        if 0 < len(source) <= MAX_LENGTH and not is_refused(source):
            return _annotated(source, display)
    return ""


def _annotated(source: str, display: bool) -> str:
    """With the source in it, which is what a selection of it is copied as (static/js/rich_text.js)."""
    known = rewritten(source, display)
    if leaves_brackets_open(known):
        raise ValueError("brackets without an end")
    converted = _converter().convert_with_local_state(known, displaystyle=display)
    opening, _, rest = converted.partition(">")
    inner = rest.removesuffix("</math>")
    if not inner or len(inner) > MAX_OUTPUT:
        raise ValueError("a formula of nothing, or of too much")
    inner = without_last_row(with_classes(inner))
    note = f'<annotation encoding="application/x-tex">{html.escape(source, quote=False)}</annotation>'
    return f"{opening}><semantics><mrow>{inner}</mrow>{note}</semantics></math>"


def _converter() -> Any:
    if not hasattr(_kept, "converter"):
        from math_core import LatexToMathML

        _kept.converter = LatexToMathML(
            macros=MACROS, max_expansions=MAX_EXPANSIONS, fancy_error=False, allow_unreliable_rendering=True
        )
    return _kept.converter
