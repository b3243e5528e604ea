"""Fenced code through Pygments: class names only, a list of languages, and a ceiling on size."""

import html
from functools import lru_cache
from typing import Any

MAX_HIGHLIGHTED = 8 * 1024  # some lexers are quadratic; the worst of these take 0.1 s for this much

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
    word = info.strip().split(maxsplit=1)[0].lower() if info.strip() else ""
    return word if word in LEXERS else ""


@lru_cache(maxsize=64)
def _lexer(name: str) -> Any:
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


@lru_cache(maxsize=1)
def _formatter() -> Any:
    from pygments.formatters import HtmlFormatter

    return HtmlFormatter(nowrap=True)


def highlight(code: str, language: str) -> str:
    if not language or len(code) > MAX_HIGHLIGHTED:
        return html.escape(code, quote=False)
    import pygments

    return str(pygments.highlight(code, _lexer(LEXERS[language]), _formatter()))


def code_block(info: str, inner: str) -> str:
    """The frame of a code block around HTML that is escaped already."""
    language = language_of(info)
    return (
        f'<div class="code"><div class="code-header"><span class="code-language">{language or "text"}</span></div>'
        f'<pre><code class="language-{language or "text"}">{inner}</code></pre></div>\n'
    )


def stylesheet() -> str:
    """static/css/highlight.css: `python -c "from app.rendering.highlight import stylesheet; print(stylesheet())"`."""
    from pygments.formatters import HtmlFormatter

    def rules(style: str, scope: str) -> str:
        lines = str(HtmlFormatter(style=style).get_style_defs(f"{scope} pre code")).splitlines()  # type: ignore[no-untyped-call]
        return "\n".join(line for line in lines if f"{scope} pre code ." in line and "err" not in line)

    light, dark = "xcode", "github-dark"
    return "\n".join(
        (
            "/* Made by app/rendering/highlight.py; do not edit. */",
            rules(light, ".code"),
            "@media (prefers-color-scheme: dark) {",
            rules(dark, ":root:not([data-theme=light]) .code"),
            "}",
            rules(dark, ":root[data-theme=dark] .code"),
        )
    )
