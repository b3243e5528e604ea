"""What models write for chat programs: lines, a few tags, lists by feeling, pipes in cells, links that lead nowhere."""

import pytest

from tests.rendering.undirected import render_markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Roses are red,\nviolets are blue", "<p>Roses are red,<br>\nviolets are blue</p>\n"),
        ("1 Tea Lane  \nLondon\\\nUK", "<p>1 Tea Lane<br>\nLondon<br>\nUK</p>\n"),
        ("> 床前明月光，\n> 疑是地上霜。", "<blockquote>\n<p>床前明月光，<br>\n疑是地上霜。</p>\n</blockquote>\n"),
        ("a<br>b<BR/>c<br />\nd", "<p>a<br>\nb<br>\nc<br>\nd</p>\n"),
        ("H<sub>2</sub>O, x<sup>**n**</sup>", "<p>H<sub>2</sub>O, x<sup><strong>n</strong></sup></p>\n"),
        ("<kbd>Ctrl</kbd>+<kbd>C</kbd>", "<p><kbd>Ctrl</kbd>+<kbd>C</kbd></p>\n"),
        ("<mark>a <u>b</u></mark>", "<p><mark>a <u>b</u></mark></p>\n"),
        ("**<u>a</u>** <SUB>b</SUB>", "<p><strong><u>a</u></strong> <sub>b</sub></p>\n"),
        ("a <!-- not *this* -->b", "<p>a b</p>\n"),
        ("a\n<!-- not\nthis -->\nb", "<p>a</p>\n<p>b</p>\n"),
        ("<!-- not\n- this -->\n\nb", "<p>b</p>\n"),
        ("`<br>` and `<!-- a -->`", "<p><code>&lt;br&gt;</code> and <code>&lt;!-- a --&gt;</code></p>\n"),
    ],
)
def test_lines_and_tags(text: str, html: str) -> None:
    assert render_markdown(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<b>a</b>",
        "<sub class=x>a</sub>",
        "<sub >a</sub>",
        "<u>a",
        "a</u>",
        "<u>a</sub>",
        "<br x>",
        "<script>a</script>",
        "<!-- a",
        "<!-->",
        "<details open>",
        "</details>",
        "a <details>",
        "<summary>a</summary>",
        "<mark onclick=a>b</mark>",
    ],
)
def test_all_other_html_is_text(text: str) -> None:
    assert render_markdown(text) == f"<p>{text.replace('<', '&lt;').replace('>', '&gt;')}</p>\n"


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("<details>\n<summary>The *proof*</summary>\n\n- a\n\n```\n# b\n```\n\n</details>", 1),
        ("<details><summary>The *proof*</summary>\n- a\n</details>", 1),
        ("<details><summary>The *proof*</summary>\n\n- a\n\n<details>\nb\n</details>\n</details>", 2),
        ("<details>\n\n<summary>The *proof*</summary>\n\n- a", 1),
    ],
)
def test_details_hold_blocks(text: str, inner: int) -> None:
    html = render_markdown(f"before\n\n{text}\n\nafter" if "</details>" in text else f"before\n\n{text}")
    assert html.startswith("<p>before</p>\n<details>\n<summary>The <em>proof</em></summary>\n<ul>\n<li>a</li>\n</ul>\n")
    assert html.count("<details>") == html.count("</details>") == inner
    assert html.endswith("</details>\n<p>after</p>\n" if "</details>" in text else "</details>\n")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("- a\n      - b\n      - c\n- d", "- a\n  - b\n  - c\n- d"),
        ("1. a\n  - b\n  - c\n2. d", "1. a\n   - b\n   - c\n2. d"),
        ("1. a\n  - b\n    - c\n  - d\n2. e", "1. a\n   - b\n     - c\n   - d\n2. e"),
        ("1. a\n\n  - b\n\n  - c\n\n2. d", "1. a\n\n   - b\n\n   - c\n\n2. d"),
        ("10. a\n  1. b\n11. c", "10. a\n    1. b\n11. c"),
        ("1. a\n  - b\n    ```\n    - c\n    ```\n2. d", "1. a\n   - b\n     ```\n     - c\n     ```\n2. d"),
        ("*   a\n  * b", "*   a\n    * b"),
        ("- a\n        - b\n                - c", "- a\n  - b\n    - c"),
        ("1. a\n      more\n      - b", "1. a\n   more\n   - b"),
    ],
)
def test_lists_nest_as_meant(text: str, meant: str) -> None:
    assert render_markdown(text) == render_markdown(meant)
    assert render_markdown(meant).count("<li>") == meant.count("- ") + meant.count(". ") + meant.count(
        "* "
    ) - meant.count("- c\n     `")


@pytest.mark.parametrize(
    "text",
    [
        "a\n\n    - b\n      - c",
        "- a\n\n      - b",
        "```\n1. a\n  - b\n```",
        "- a\n- b\n\n  c",
        "a\n - b\n - c",
        "1) a\n   b",
    ],
)
def test_code_and_well_written_lists_stay(text: str) -> None:
    from app.rendering.list_indents import _moved

    assert "\n".join(_moved(text.split("\n"))) == text


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| `a || b` | or |", ["<code>a || b</code>", "or"]),
        ("| `a | b` | ``c ` | d`` |", ["<code>a | b</code>", "<code>c ` | d</code>"]),
        (r"| `a \| b` | c |", ["<code>a | b</code>", "c"]),
        ("| $5 | $6 |", ["$5", "$6"]),
        ("|$5|$6|", ["$5", "$6"]),
        ("| ` | b |", ["`", "b"]),
        (r"| \`a | b\` |", ["`a", "b`"]),
    ],
)
def test_a_pipe_in_code_ends_no_cell(row: str, cells: list[str]) -> None:
    html = render_markdown(f"| a | b |\n|---|---|\n{row}\n")
    assert "".join(f"<td>{cell}</td>\n" for cell in cells) in html
    assert html.count("<td>") == 2


def test_a_pipe_in_a_formula_ends_no_cell() -> None:
    html = render_markdown("| $|x|$ | `|` |\n|---|:-:|\n| $|y|$ | b |\n")
    assert html.count("<math") == 2
    assert html.count("<th") - html.count("<thead") == html.count("<td") == 2
    assert '<td align="center">b</td>' in html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[Intro](#intro)", "Intro"),
        ("[the *file*](src/a.py 'title')", "the <em>file</em>"),
        ("[a](/b?c=d#e) and [b](../c)", "a and b"),
        ("[a]\n\n[a]: #b", "a"),
        ("![a plot](plot.png)", "a plot"),
        ("![](plot.png)", "plot.png"),
        ("[![a](b.png)](c)", "a"),
        ("[a](javascript:b)", "[a](javascript:b)"),
        ("[a](//b.c)", "[a](//b.c)"),
        ("[a](&#106;avascript:b)", "[a](javascript:b)"),
    ],
)
def test_a_link_that_leads_nowhere_shows_its_text(text: str, shown: str) -> None:
    assert render_markdown(text) == f"<p>{shown}</p>\n"


def test_code_without_a_language_has_no_name() -> None:
    assert '<span class="code-language"></span>' in render_markdown("```\na\n```")
    assert '<span class="code-language"></span>' in render_markdown("    a")
