"""Arabic and Hebrew begin at the right, with the marks, borders and columns around them; code never does."""

import re

import pytest

from app.rendering import render_markdown
from tests.rendering.test_law import streamed, whole

TAG = re.compile(r'<(p|h[1-6]|ul|ol|li|blockquote|th|td|pre|code)\b(?: (?!dir)[\w-]+="[^"]*")*(?: dir="(\w+)")?')


def directions(text: str) -> list[str]:
    """Each block's name and direction, in order; without one it has that of the block around it."""
    return [f"{name} {direction}".strip() for name, direction in TAG.findall(render_markdown(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("words", ["p auto"]),
        ("# عنوان", ["h1 auto"]),
        ("1. אחת\n2. שתיים", ["ol auto", "li", "li"]),
        ("> اقتباس\n>\n> - عنصر", ["blockquote auto", "p", "ul", "li"]),
        # What a block holds follows it, unless it is all of the other direction.
        ("- عنصر\n- English\n- عنصر and more", ["ul auto", "li", "li auto", "li"]),
        ("- Hello: مرحبا\n- مرحبا", ["ul auto", "li", "li auto"]),
        # A first word in Latin letters is not what the text is in; a word list has as many letters of both.
        ("Python هي لغة برمجة عامة", ["p rtl"]),
        ("- **Python**: لغة برمجة عامة\n- **Go**: لغة أخرى سريعة", ["ul rtl", "li", "li"]),
        ("- Sencha: شاي أخضر من اليابان\n- شاي\n- Only English here", ["ul rtl", "li", "li", "li auto"]),
        ("- مرحبا\n- Bye\n- See you", ["ul ltr", "li auto", "li", "li"]),
        ("Hello means مرحبا", ["p auto"]),
        # Neither code nor a formula says anything about the text behind it; to a browser the formula would.
        ("`npm install` يثبت الحزم", ["p auto", "code ltr"]),
        ("$x$ هو متغير", ["p rtl"]),
        ("$x$", ["p auto"]),
        ("```\nمرحبا\n```", ["pre", "code ltr"]),
    ],
)
def test_a_block_begins_where_its_language_does(text: str, expected: list[str]) -> None:
    assert directions(text) == expected


def test_a_tables_columns_run_as_its_text_does() -> None:
    html = render_markdown("| الاسم | Value |\n|---|--:|\n| واحد | 12 |\n")
    assert html.startswith('<div class="table" dir="auto"><table>')
    assert re.findall(r"<t[hd]\b[^>]*>", html) == [
        "<th>",
        '<th align="right" dir="auto">',
        "<td>",
        '<td align="right">',
    ]


def test_a_footnote_has_a_direction_of_its_own() -> None:
    html = render_markdown("words[^1]\n\n[^1]: حاشية")
    assert re.search(r'<li id="fn1" class="footnote-item" dir="auto"><p>حاشية', html)


@pytest.mark.parametrize(
    "text", ["Python هي لغة برمجة\n\n- عنصر\n- English\n\n> `a` اقتباس\n\nend", "- a\n- ב\n\n| א |\n|-|\n| a |"]
)
def test_a_stream_ends_in_the_same_directions(text: str) -> None:
    assert streamed(list(text)) == whole(text)
