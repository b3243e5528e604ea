"""The table of formulas: each is typeset as a reader of LaTeX expects, or shown as its source."""

import re
from pathlib import Path

import pytest

from app.rendering import render_markdown
from app.rendering.math_styles import CLASSES, DECLARATIONS, with_classes
from tests.rendering.audit import faults
from tests.rendering.formulas import SOURCE, Formula, formulas, outline

TABLE = formulas()
STYLES = (Path(__file__).parents[2] / "static" / "css" / "maths.css").read_text(encoding="utf-8")


@pytest.mark.parametrize("formula", TABLE, ids=lambda formula: formula.source)
def test_a_formula_is_typeset_or_shown_as_its_source(formula: Formula) -> None:
    for text in (f"$$\n{formula.source}\n$$", f"\\[{formula.source}\\]", f"```math\n{formula.source}\n```"):
        html = render_markdown(text)
        assert faults(html) == []
        if text.startswith("```") and formula.expected == SOURCE:
            assert '<span class="code-language">math</span>' in html
        else:
            assert outline(html) == formula.expected


def test_there_are_many_and_nearly_all_are_typeset() -> None:
    assert len({formula.source for formula in TABLE}) == len(TABLE) >= 130
    assert {formula.subject for formula in TABLE} >= {"amsmath", "Physics", "Chemistry", "Computing"}
    shown = [formula.source for formula in TABLE if formula.expected == SOURCE]
    assert len(shown) <= len(TABLE) * 0.05, shown


@pytest.mark.parametrize("formula", TABLE, ids=lambda formula: formula.source)
def test_a_formula_carries_its_source(formula: Formula) -> None:
    html = render_markdown(f"$$\n{formula.source}\n$$")
    (source,) = re.findall(r'<(?:annotation encoding="application/x-tex"|code [^>]*)>([^<]*)<', html)
    assert source.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">") == formula.source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"\lim_{x\to0} f", "sub‹lim x → 0› f"),
        (r"\operatorname*{argmax}_x f", "sub‹argmax x› f"),
        (r"\mathop{\mathrm{argmin}}_x f", "sub‹argmin x› f"),
        (r"\ce{H2O}", "sub‹H 2› O"),
        (r"\frac12", "frac‹1 2›"),
        (r"x \tag{1}", SOURCE),
    ],
)
def test_a_formula_in_a_line_has_its_indices_at_the_side(source: str, expected: str) -> None:
    assert outline(render_markdown(f"${source}$")) == expected


@pytest.mark.parametrize(
    "source",
    [
        r"\ce{H2O",
        r"\ce{}",
        r"\ce{Fe(CN)_}",
        r"\ce{->[x$]}",
        r"\ce{$x$}",
        r"\text{a $b}",
        r"\dv",
        r"\pdv[2]{u}{x}{y}",
        r"\mathop{",
        r"\begin{alignat}",
        r"a & b & c }",
        r"\tag{1",
        r"\eqref{a}",
        r"\def\a{\a\a}\a",
        r"\let\a=\b x",
        "%",
        "%x",
        r"\substack",
        r"\left( x",
        r"\colorbox{red}{x}",
        r"\includegraphics{x}",
        r"\unknown{x}",
    ],
)
def test_what_is_not_understood_is_never_shown_as_something_else(source: str) -> None:
    html = render_markdown(f"$$\n{source}\n$$")
    assert outline(html) == SOURCE
    assert faults(html) == []


def test_every_class_has_a_rule_and_every_rule_a_class() -> None:
    ruled = set(re.findall(r"\.((?:math|menclose)-[a-z0-9-]+)", STYLES))
    own = {"math-tied", "math-source"}
    # Firefox and Safari draw these themselves; a serif is what the font has.
    assert CLASSES - ruled == {"math-serif", "menclose-phasorangle"}
    assert ruled - CLASSES == own


def test_a_style_that_nothing_is_known_of_makes_no_formula() -> None:
    for declaration in DECLARATIONS:
        assert "style" not in with_classes(f'<mtd style="{declaration};"></mtd>')
    with pytest.raises(KeyError):
        with_classes('<mtd style="position: fixed"></mtd>')
    assert with_classes('<mtext>style="color:#FF0000"</mtext>') == '<mtext>style="color:#FF0000"</mtext>'
