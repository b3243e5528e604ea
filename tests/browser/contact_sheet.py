"""All screenshots on one page that opens from the disk."""

import html
from collections.abc import Sequence
from itertools import product
from pathlib import Path

STYLE = """
body { margin: 2rem; font: 14px/1.5 ui-sans-serif, system-ui, sans-serif; color: #23201b; background: #f3efe7 }
h2 { margin: 2.5rem 0 .5rem; font-size: 16px }
nav a { margin-right: .75rem; white-space: nowrap }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: flex-start }
figure { margin: 0 }
figcaption { color: #6b6458; font-size: 12px }
img { display: block; height: 22rem; max-width: 36rem; object-fit: cover; object-position: top left;
      border: 1px solid #c9c0ae; background: #fff }
"""


def write_sheet(folder: Path, names: Sequence[str]) -> None:
    """`index.html` in `folder`, of what is there."""
    parts = []
    for name in names:
        rows = [_row(folder, name, language) for language in ("en", "zh-CN")]
        if any(rows):
            parts.append(f'<h2 id="{name}">{html.escape(name)}</h2>\n' + "\n".join(row for row in rows if row))
    links = " ".join(f'<a href="#{name}">{html.escape(name)}</a>' for name in names)
    page = (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Teahouse: every state</title>'
        f"<style>{STYLE}</style><h1>Teahouse: every state</h1><nav>{links}</nav>\n" + "\n".join(parts) + "</html>\n"
    )
    (folder / "index.html").write_text(page)


def _row(folder: Path, name: str, language: str) -> str:
    figures = []
    for width, theme in product((1280, 390), ("light", "dark")):
        picture = folder / f"{name}.{language}.{theme}.{width}.png"
        if picture.exists():
            caption = f"{language} · {theme} · {width}"
            figures.append(
                f'<figure><a href="{picture.name}"><img loading="lazy" src="{picture.name}" alt="{caption}"></a>'
                f"<figcaption>{caption}</figcaption></figure>"
            )
    return f'<div class="row">{"".join(figures)}</div>' if figures else ""
