"""Formulas as MathML; what is no formula, or none that can be read, as it was written."""

import re

import pytest

from app.rendering.brackets import SPAN
from app.rendering.dollars import is_prose
from tests.rendering.undirected import render_markdown

FORMULAS = r"""
the $i$th one
the $2n$th one
从$x$到$y$
$速度 = 距离/时间$
$3 < x < 5$
$k$NN is
2$\pi$ r
2$x$ is
A$\to$B
3$\times$4
$n$-gram
$x$s and $y$s
$5$ apples
$x$ and $y$
设$x$是
($x^2$)
$a$$b$
$\begin{cases}1 & \text{if $x>0$}\\0\end{cases}$
$[0,1)$
$0 \in [0,1)$
$\text{so it is}$
$]0,1[$
$O(n \log n)$
$P(A|B)$
$f: A \to B$
$\$5$
$x$, $y$; $z$.
$n=10$个
"$x$"
$\sin x \cos y$
$^\circ$C
$ABC$
$-5$
$10^{-3}$
$5 \text{ km per hour}$
a $$x$$ b
$$x + y$$
$\alpha$-helix
$p$-value
$x_1,\ldots,x_n$
$\mathrm{if so}$
$a+b$ and $c+d$
$10$–$20$
**$x$**
$x$'s
$f(x) = 2$.
""".strip()
# Prices, variables of shells and others, and what else has two dollars.
TEXTS = r"""
$5 and $6
from $5 to 6$ each
US$5, $1,000.50
$5-$10 or $5/$6
$5–$10 million
$HOME/$USER and ${PATH}
a $ b $ c
\$x\$
$
$$
$$ $$
`$x$`
US$5 and US$6
$5/month or $50/year
${x}
${x}-${y}
${a}${b}
$1$2
$(this).hide(); $(that)
$('#a')+$('#b')
$(CC)/$(CFLAGS)
共$5，约$6
$5，约6$
从$5到$10
共5$，约6$
$5 per user ($60 per year)
$5 (or 6$)
($5)-($6)
5$-6$
5$ and 6$
$x=$y
$a$b
$a=$b;$c=$d
$i<$n; $i++
$user_name$domain
$total=$price*$qty
"$file" "$dir"
$_GET[$key]
$this->foo($bar)
$PATH:$HOME
echo $$; kill $$
s/$/x/;s/^$//
^a$|^b$
$AAPL and $TSLA
$AAPL/$TSLA
A$AP and $uicideboy
$1M–$2M
$100-$200, or $300
{print $1","$2}
$1==$2
$env:PATH;$x
C$5 and R$6
costs $5, saves $6, earns $7
$5 is less than six dollars$
$20, $30, and $40
$5.$6
**$5** and **$6**
$3.50/lb vs $4.20/kg
between $1,000 and $2,000.
$100k/$200k
$5 and $6, `$HOME`.
价格从5$涨到6$
价格$5/月，$50/年
It costs $10 today and 20$ tomorrow
$a_$bar
$A-$B, $A_$B
5$+6$=11$
earn $5/hr*8hrs=$40
M$ and $$$ for $$
Ke$ha and cash$flow$
$a->b($c)
${HOME}/bin:$PATH
$(date)/$(whoami)
$6, (`$x`) and
costs $5, x$y
$@ and $<
\(\)
\( a
""".strip()


@pytest.mark.parametrize("text", ["$x^2$", r"\(x^2\)", "a $x^2$ b", "设$x^2$是", "($x^2$)", "**$x^2$**"])
def test_a_formula_in_a_line(text: str) -> None:
    html = render_markdown(text)
    assert '<span class="math"><math><semantics>' in html
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html


@pytest.mark.parametrize("text", FORMULAS.splitlines())
def test_what_is_a_formula(text: str) -> None:
    assert "<math" in render_markdown(text)


@pytest.mark.parametrize("text", TEXTS.splitlines())
def test_what_is_no_formula(text: str) -> None:
    assert 'class="math"' not in render_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "$$x$$",
        "$$\nx\n$$",
        "$$\n\nx\n\n$$",
        "a\n\n$$\n\nx\n\n$$\n\nb",
        r"\[x\]",
        "\\[\nx\n\\]",
        "a\n\\[\nx\n\\]\nb",
        "- $$\n  x\n  $$",
        "- a\n\n  $$\n\n  x\n\n  $$",
        "```math\nx\n```",
        r"\begin{equation}x\end{equation}",
        "a\n\\begin{align*}\nx\n\\end{align*}\nb",
        "> \\begin{gather}\n> x\n> \\end{gather}",
    ],
)
def test_a_formula_of_its_own(text: str) -> None:
    html = render_markdown(text)
    assert '<math display="block"><semantics><mrow>' in html
    assert html.count("<mi>x</mi>") == 1
    assert html.count("$") == html.count(r"\[") == 0


@pytest.mark.parametrize("end", [".", ",", ";", "。"])
def test_a_mark_behind_a_formula_of_its_own_belongs_to_it(end: str) -> None:
    for text in ("$$\nx\n$$", r"\[x\]", r"\begin{equation}x\end{equation}"):
        assert re.search(rf"<mi>x</mi><m[io][^>]*>{re.escape(end)}<", render_markdown(text + end)), text


@pytest.mark.parametrize(
    "text",
    [
        "\\[\na\n\nb\n\\]",
        "$$\na\n\nHere is some text\n\n$$\nb",
        "$$\n" + "a\n\n" * SPAN + "$$",
        "\\begin{align}\na\n\nb\n\\end{align}",
        "\\begin{tabular}\na\n\\end{tabular}",
        "\\begin{itemize}\n\\item a\n\\end{itemize}",
        "```latex\n\\frac{a}{b}\n```",
        "`$$`\n\na\n\n`$$`",
    ],
)
def test_what_is_no_formula_of_its_own(text: str) -> None:
    assert "<math" not in render_markdown(text)


def test_a_formula_that_is_never_closed_takes_nothing_with_it() -> None:
    html = render_markdown("$$\nx = 1\n\nThen *this* follows.\n\n# And that\n\n$$\ny\n$$\n\nend")
    assert "<em>this</em>" in html
    assert "<h1>And that</h1>" in html
    assert '<math display="block">' in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a $x$, b", '<span class="math-tied"><span class="math">…</span>,</span> b'),
        ("a ($x$) b", '<span class="math-tied">(<span class="math">…</span>)</span> b'),
        ("设$x$，则", '<span class="math-tied"><span class="math">…</span>，</span>则'),
        ("the $i$th one", '<span class="math-tied"><span class="math">…</span>th</span> one'),
        ("an $n$-dimensional one", '<span class="math-tied"><span class="math">…</span>-</span>dimensional one'),
        ("a $x$ b", 'a <span class="math">…</span> b'),
    ],
)
def test_no_line_ends_between_a_formula_and_its_comma(text: str, html: str) -> None:
    assert html in re.sub("<math>.*?</math>", "…", render_markdown(text))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("two words", True),
        ("5 and so on", True),
        ("5，约", True),
        ("a 和 b。", True),
        (r"\text{two words}", False),
        (r"\alpha beta", False),
        ("x y z", False),
        ("ab+cd", False),
        (r"f(x, y) \text{，其中 x}", False),
    ],
)
def test_two_words_in_a_row_are_prose(source: str, expected: bool) -> None:
    assert is_prose(source) is expected


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
