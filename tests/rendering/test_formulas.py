"""The table of formulas: each is typeset as a reader of LaTeX expects, or shown as its source."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.rendering import render_markdown
from app.rendering.latex_limits import MAX_DEPTH
from app.rendering.math_styles import CLASSES, DECLARATIONS, with_classes
from app.rendering.maths import MAX_LENGTH, typeset
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


# Shapes of which a formula as long as it may be is made, each with what closes it.
SHAPES = [
    ("(", ""),
    ("[", ")"),
    (r"\{", ""),
    (r"\langle ", ""),
    (r"\sin(", ""),
    ("{(", "}"),
    (r"\left[(", r"\right]"),
    (r"\mathopen{(}", ""),
    (r"\bigl(", ""),
    ("{", "}"),
    ("x^{", "}"),
    (r"\sqrt ", ""),
    (r"\frac a", ""),
    (r"\hat ", ""),
    (r"\left(", r"\right)"),
    (r"\begin{matrix}", r"\end{matrix}"),
    (r"\begin{equation}(", r"\end{equation}"),
    (r"\mathbf{", "}"),
    (r"\mathop{", "}"),
    (r"\abs{", "}"),
    (r"\text{$", "$}"),
    (r"\ce{", "}"),
    (r"\ce{A ->[", "]}"),
    (r"\dv{", "}{x}"),
    (r"\displaystyle ", ""),
    (r"\color{red}", ""),
    ("'", ""),
    ("&", ""),
    (r"\\", ""),
    (r"\\[", ""),
    (r"\label{", ""),
    (r"\tag{1}", ""),
    (" ", "x"),
]


@pytest.mark.parametrize(("opening", "closing"), SHAPES)
def test_no_formula_takes_long(opening: str, closing: str) -> None:
    for share in (1, 3, 20):
        count = MAX_LENGTH // share // (len(opening) + len(closing))
        for middle in ("x", r"\mathop{\mathrm{" + " " * 200 + "!}}_x"):
            source = (opening * count + middle + closing * count)[:MAX_LENGTH]
            began = time.thread_time()
            typeset(source, display=True)
            assert time.thread_time() - began < 0.25, source[:60]


def test_no_formula_needs_much_of_a_stack() -> None:
    """The converter calls itself, and would end the process: by one that has half a megabyte."""
    code = """
import sys, threading
from app.rendering.maths import MAX_LENGTH, typeset
from tests.rendering.test_formulas import SHAPES
def work():
    for opening, closing in SHAPES:
        for count in (90, 100, 300, 900, 3000):
            typeset((opening * count + "x" + closing * count)[:MAX_LENGTH], display=True)
    print("done")
threading.stack_size(512 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"


def test_honest_brackets_are_not_taken_for_hostile_ones() -> None:
    for source in (
        r"[0,1) \cup [2,3) \cup [4,5) \cup [6,7) \cup [8,9) \cup [10,11) \cup [12,13)",
        r"]0,1[ \cup ]2,3[",
        "f(g(h(i(j(k(l(m(x))))))))",
        r"\begin{aligned} (" + r"a \\ (" * 9 + r"b \end{aligned}",
        r"\bigl( \Bigl[ \biggl\{ x \biggr\} \Bigr] \bigr)",
        "{" * (MAX_DEPTH - 1) + "x" + "}" * (MAX_DEPTH - 1),
    ):
        assert typeset(source, display=True), source
