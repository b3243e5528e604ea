"""What Markdown becomes: blocks, lists, tables, footnotes, addresses."""

import subprocess
import sys

import pytest

from app.rendering.tables import MAX_CELLS
from tests.rendering.undirected import render_blocks, render_markdown


def test_importing_the_package_imports_none_of_the_heavy_libraries() -> None:
    heavy = "{'markdown_it', 'mdit_py_plugins', 'pygments', 'math_core', 'nh3', 'linkify_it'}"
    code = f"import sys, app.rendering; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_top_level_block_is_one_string() -> None:
    blocks = render_blocks("# a\n\nb\nc\n\n- d\n\n  e\n- f\n\n> g\n\n***\n```\nh\n```\n| i |\n|---|\n")
    starts = ["<h1>", "<p>", "<ul>", "<blockquote>", "<hr>", '<div class="code">', '<div class="table">']
    assert [block[: len(start)] for block, start in zip(blocks, starts, strict=True)] == starts
    assert render_markdown("# a\n\nb") == "".join(render_blocks("# a\n\nb"))


def test_html_is_shown_and_not_obeyed() -> None:
    assert render_markdown("a <b>c</b>\n\n<div>\nd\n</div>") == (
        "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n<p>&lt;div&gt;<br>\nd<br>\n&lt;/div&gt;</p>\n"
    )


def test_a_task_list_has_boxes_that_cannot_be_ticked() -> None:
    html = render_markdown("- [ ] a **b**\n- [x] c\n  1. [X] d\n- e\n- [x](http://f.g)\n")
    assert html.count("<input") == 3
    assert html.count('checked="checked"') == 2
    assert html.count('disabled="disabled"') == 3
    assert html.count("contains-task-list") == 2
    assert "> a <strong>b</strong></label></li>" in html
    assert ">x</a></li>" in html


def test_a_table_scrolls_in_its_own_frame_and_aligns_its_columns() -> None:
    html = render_markdown("| a | b |\n|:-:|--:|\n| 1 | 2 |\n")
    assert html.startswith('<div class="table"><table>')
    assert '<th align="center">a</th>' in html
    assert '<td align="right">2</td>' in html
    assert "style" not in html


def test_a_table_of_too_many_cells_is_text() -> None:
    rows = MAX_CELLS // 10
    table = "|" + "a|" * 10 + "\n|" + "-|" * 10 + "\n"
    row = "|" + "1|" * 10 + "\n"
    assert "<table>" in render_markdown(table + row * (rows - 20))
    html = render_markdown(table + row * (rows + 1) + "\n\n*after* | it\n--|--\nb | c\n")
    assert html.count("<table>") == 1
    assert html.count("\n|1|1|") == rows + 1
    assert "<em>after</em>" in html


def test_a_table_of_many_empty_rows_is_text() -> None:
    assert "<table>" not in render_markdown("|" + "a|" * 100 + "\n|" + "-|" * 100 + "\n" + "|\n" * 10)


def test_a_footnote_stands_at_the_end_and_leads_back() -> None:
    blocks = render_blocks("a[^x] b[^x]\n\n[^x]: note\n\nc", id_prefix="m-1-")
    assert len(blocks) == 3
    assert blocks[0].count('href="#m-1-fn1"') == 2
    assert '<li id="m-1-fn1" class="footnote-item">' in blocks[2]
    assert 'href="#m-1-fnref1"' in blocks[2]
    assert 'href="#m-1-fnref1-1"' in blocks[2]


def test_without_a_definition_a_footnotes_mark_is_text() -> None:
    assert render_markdown("a[^1] b^[c]") == "<p>a[^1] b^[c]</p>\n"


@pytest.mark.parametrize("text", ["main.py", "README.md", "example.com", "ftp://a.b", "//a.b/c", "node.js/x"])
def test_what_is_no_written_out_address_is_no_link(text: str) -> None:
    assert "<a" not in render_markdown(f"see {text} there")


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("https://a.example/b_c?d=1#e", "https://a.example/b_c?d=1#e"),
        ("(http://a.example)", "http://a.example"),
        ("**http://a.example**", "http://a.example"),
        ("http://localhost:8000/x.", "http://localhost:8000/x"),
        ("https://例子.example/路", "https://xn--fsqu00a.example/%E8%B7%AF"),
        ("a@b.org", "mailto:a@b.org"),
        ("<https://a.example>", "https://a.example"),
    ],
)
def test_a_written_out_address_is_a_link(text: str, href: str) -> None:
    assert f'href="{href}"' in render_markdown(text)


def test_what_lies_too_deep_is_text_and_not_lost() -> None:
    lists = "".join("  " * depth + f"- level{depth}\n" for depth in range(40))
    quotes = "> " * 40 + "bottom"
    html = render_markdown(f"{lists}\nafter\n\n{quotes}\n\nend")
    assert all(f"level{depth}" in html for depth in range(40))
    assert "bottom" in html
    assert html.count("<ul>") < 20
    assert html.endswith("<p>end</p>\n")


def test_line_ends_nul_mark_and_surrogates_are_made_harmless() -> None:
    assert render_markdown("\ufeffa\r\nb\rc\0\ud83d") == "<p>a<br>\nb<br>\nc\ufffd\ufffd</p>\n"
