"""All formulas of the table (tests/rendering/formulas.txt), each beside its source."""

import html
from itertools import groupby

from playwright.async_api import Page, Route

from app.rendering.maths import mathml
from app.rendering.sanitize import sanitize
from tests.browser.screens.registry import screen
from tests.browser.stage import WIDE, Scene
from tests.rendering.formulas import Formula, formulas

PATH = "/formulas-of-the-table"
STYLE = """
body { overflow: auto; height: auto }
main { columns: 4; column-gap: 1.5rem; padding: 1rem; font-size: 14px }
main :is(h1, h2) { margin: 0.5rem 0; font-size: 1rem }
section > div { padding: 0.25rem 0; border-top: 1px solid var(--line); break-inside: avoid }
.prose section .source { margin: 0; padding: 0 3px; color: var(--muted); font: 9px/1.3 var(--mono) }
.prose section .source { white-space: pre-wrap; overflow-wrap: anywhere }
.prose section .math { margin: 0 }
.prose section math[display="block"] { padding-block: 0.2em }
"""


@screen("formulas", sizes=(WIDE,))
async def all_formulas(scene: Scene) -> Page:
    """In a page of its own, by the styles and the policy of all."""

    async def answer(route: Route) -> None:
        await route.fulfill(body=sheet(), content_type="text/html; charset=utf-8")

    page = scene.page
    await page.route(f"**{PATH}", answer)
    await page.goto(PATH)
    await page.evaluate("document.fonts.ready")
    return page


def sheet() -> str:
    parts = []
    for subject, each in groupby(formulas(), key=lambda formula: formula.subject):
        rows = "".join(map(row, each))
        parts.append(f"<section><h2>{html.escape(subject)}</h2>{rows}</section>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Formulas</title><link rel="stylesheet" '
        f'href="/static/css/app.css"><style>{STYLE}</style><main class="prose"><h1>Formulas</h1>{"".join(parts)}</main>'
    )


def row(formula: Formula) -> str:
    drawn = sanitize(mathml(formula.source, display=True, frame="div"))
    return f'<div><p class="source">{html.escape(formula.source)}</p>{drawn}</div>'
