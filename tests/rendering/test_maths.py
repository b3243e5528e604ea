"""Formulas as MathML; what is no formula, or none that can be read, as it was written."""

import re

import pytest

from app.rendering import render_markdown


@pytest.mark.parametrize("text", ["$x^2$", r"\(x^2\)", "a $x^2$ b", "设$x^2$是", "($x^2$)", "**$x^2$**"])
def test_a_formula_in_a_line(text: str) -> None:
    html = render_markdown(text)
    assert '<span class="math"><math><semantics>' in html
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html


@pytest.mark.parametrize(
    "text", ["$$x$$", "$$\nx\n$$", r"\[x\]", "\\[\nx\n\\]", "a\n\\[\nx\n\\]\nb", "- $$\n  x\n  $$"]
)
def test_a_formula_of_its_own(text: str) -> None:
    assert '<math display="block"><semantics><mrow><mi>x</mi></mrow>' in render_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $6",
        "from $5 to 6$ each",
        "US$5, $1,000.50",
        "$5-$10 or $5/$6",
        "$HOME/$USER and ${PATH}",
        "a $ b $ c",
        r"\$x\$",
        "$",
        "$$",
        "$$ $$",
        r"\(\)",
        r"\( a",
        "\\[\na\n\nb\n\\]",
        "`$x$`",
    ],
)
def test_what_is_no_formula(text: str) -> None:
    assert "<math" not in render_markdown(text)


@pytest.mark.parametrize("source", [r"\begin{x}", r"\left", "{" * 1000 + "x" + "}" * 1000, "x" * 5000, "x^y^z"])
def test_what_cannot_be_read_is_shown_as_it_was_written(source: str) -> None:
    html = render_markdown(f"a\n\n$${source}$$\n\nb")
    assert f'<code class="math-source" title="LaTeX">{source}</code>' in html
    assert html.endswith("<p>b</p>\n")


@pytest.mark.parametrize("fault", [RecursionError, KeyError, ValueError])
def test_any_fault_of_the_converter_is_survived(fault: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def convert(*_: object, **__: object) -> str:
        raise fault

    monkeypatch.setattr("app.rendering.maths.rewritten", convert)
    assert '<code class="math-source" title="LaTeX">&lt;x&gt;</code>' in render_markdown("surely $<x>$")


def test_A06_a_formula_carries_no_address_and_no_style() -> None:
    html = render_markdown(
        r'$\href{https://evil.example}{x}$ $\eqref{e}$ $\color{red}{y}$ $\text{</mtext><script>z</script> style="a"}$'
    )
    assert "href" not in re.sub(r"<(code|annotation)[^>]*>[^<]*<", "", html)
    assert not re.search("<[^>]*style=", html)
    assert '<mrow class="math-red"><mi>y</mi></mrow>' in html
    assert "<mtext>&lt;/mtext&gt;&lt;script&gt;z&lt;/script&gt;" in html
