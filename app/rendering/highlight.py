"""Fenced code through Pygments: class names only, a list of languages, ceilings on size and time."""

import html
import re
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

MAX_HIGHLIGHTED = 64 * 1024
# Seconds of the processor for a block, and for a long one. Honest code takes a tenth, or a half of it; some lexers are
# quadratic.
SECONDS, SECONDS_OF_LONG = 0.15, 1.0

# No clock can stop a single step of a lexer: it sees no more than this of what lies ahead, so that it cannot take long.
WINDOW = 8 * 1024
NARROW = {"ocaml": 2048, "ini": 2048}
# Lexers that are made otherwise and see everything at once get no longer code.
SHORT = {"console": 4096, "make": WINDOW}

_LABEL = re.compile(r"[a-z0-9][a-z0-9+#._-]{0,23}")

# How people spell it -> Pygments' name. Perl is left out: `s{` takes it seconds.
LEXERS = {
    **{name: name for name in ("bash", "c", "css", "dart", "diff", "elixir", "go", "haskell", "html", "ini", "java")},
    **{name: name for name in ("javascript", "json", "julia", "kotlin", "lua", "make", "nginx", "nix", "ocaml", "php")},
    **{name: name for name in ("powershell", "python", "r", "ruby", "rust", "scala", "sql", "swift", "toml", "xml")},
    **{name: name for name in ("typescript", "yaml", "zig", "docker", "graphql", "clojure", "erlang", "fortran")},
    **{"sh": "bash", "shell": "bash", "zsh": "bash", "console": "console", "js": "javascript", "jsx": "javascript"},
    **{"ts": "typescript", "tsx": "typescript", "py": "python", "python3": "python", "rb": "ruby", "rs": "rust"},
    **{"yml": "yaml", "cpp": "cpp", "c++": "cpp", "cs": "csharp", "csharp": "csharp", "golang": "go", "htm": "html"},
    **{"dockerfile": "docker", "makefile": "make", "patch": "diff", "kt": "kotlin", "vue": "html", "svg": "xml"},
}


def language_of(info: str) -> str:
    """The fence's language as we show it; empty for none or one that we do not know."""
    word = _word(info)
    return word if word in LEXERS else ""


def _word(info: str) -> str:
    words = info.strip()[:64].split(maxsplit=1)
    return words[0].lower() if words else ""


def label_of(info: str) -> str:
    """What stands over the code: also a language that we cannot colour has a name; empty where none was given."""
    word = _word(info)
    return word if _LABEL.fullmatch(word) else ""


@lru_cache(maxsize=64)
def highlight(code: str, language: str) -> str:
    """Kept, so that a block that took too long once is plain wherever it is shown next."""
    plain = html.escape(code, quote=False)
    name = LEXERS.get(language, "")
    if not name or len(code) > SHORT.get(name, MAX_HIGHLIGHTED):
        return plain
    return _highlighted(code, name) or plain


def _highlighted(code: str, name: str) -> str | None:
    """None if it takes too long, or if the lexer would change the text."""
    window = NARROW.get(name, WINDOW)
    is_long = len(code) > window
    deadline = time.thread_time() + (SECONDS_OF_LONG if is_long else SECONDS)
    parts, size = [], 0
    for kind, text in _lexer(name, window if is_long else 0).get_tokens(code):
        if time.thread_time() > deadline:
            return None
        css, inner = _css_class(kind), html.escape(text, quote=False)
        parts.append(f'<span class="{css}">{inner}</span>' if css else inner)
        size += len(text)
    return "".join(parts) if size == len(code) else None


@lru_cache(maxsize=128)
def _lexer(name: str, window: int) -> Any:
    """`window`: as far as it sees, or 0 for all, which takes half the time."""
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    if window and hasattr(lexer, "_tokens"):
        lexer._tokens = {
            state: [(_within(window, match), *action) for match, *action in rules]
            for state, rules in lexer._tokens.items()
        }
    return lexer


def _within(window: int, match: Callable[[str, int, int], Any]) -> Callable[..., Any]:
    return lambda text, start, end=sys.maxsize: match(text, start, min(end, start + window))


@lru_cache(maxsize=256)
def _css_class(kind: Any) -> str:
    from pygments.token import STANDARD_TYPES

    while kind not in STANDARD_TYPES:
        kind = kind.parent
    # What a lexer does not understand is no error of the answer's.
    return "" if STANDARD_TYPES[kind] in ("w", "err") else STANDARD_TYPES[kind]


def is_uncoloured(info: str, code: str, inner: str) -> bool:
    """Whether this code would have colours if it were shorter, or its lexer quicker."""
    return len(code) > WINDOW and language_of(info) != "" and "<span" not in inner


def code_block(info: str, inner: str, *, is_uncoloured: bool = False) -> str:
    """The frame of a block of code around HTML that is escaped already."""
    language = LEXERS.get(language_of(info), "text")
    uncoloured = " uncoloured" if is_uncoloured else ""  # the stylesheet says it in words
    header = f'<div class="code-header"><span class="code-language{uncoloured}">{label_of(info)}</span></div>'
    return (
        f'<div class="code" dir="ltr">{header}'
        f'<pre><code class="language-{language}" dir="ltr">{inner}</code></pre></div>\n'
    )
