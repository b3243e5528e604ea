"""Where bare addresses end: before full-width punctuation and letters, as a reader ends them."""

import html
import re

import pytest

from tests.rendering.test_law import streamed, whole
from tests.rendering.test_streaming import letters
from tests.rendering.undirected import render_markdown


def links(text: str) -> list[str]:
    """What is shown as links; each must lead to what it says."""
    found = re.findall('<a href="([^"]*)"[^>]*>([^<]*)</a>', render_markdown(text))
    assert all(href.endswith(shown) for href, shown in found if shown.isascii())
    assert streamed(letters(text)) == whole(text)
    return [html.unescape(shown) for _, shown in found]


ENDS = "，。、；：？！…—“”‘’「」『』（）《》〈〉【】〔〕［］｛｝〖〗｟｠｡｢｣､～〜＂＇｜＝＋％"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("address", ["https://a.example", "https://a.example/b/", "http://a.example:8000/b_c?d=1&e#f"])
def test_an_address_ends_before_full_width_punctuation(address: str, end: str) -> None:
    for text in (f"见{address}{end}然后", f"{end}{address}{end}", f"{address}{end}b.html", f"**{address}{end}**好"):
        assert links(text) == [address]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "请看 https://example.com/a/48，然后解决。见https://example.com/b。",
            ["https://example.com/a/48", "https://example.com/b"],
        ),
        ("https://a.example/b是", ["https://a.example/b"]),
        ("https://a.example/bをご覧", ["https://a.example/b"]),
        ("https://a.exampleから", ["https://a.example"]),
        ("https://a.example에서", ["https://a.example"]),
        ("https://a.example/b.html를 보세요", ["https://a.example/b.html"]),
        ("https://a.example/b?c=1를", ["https://a.example/b?c=1"]),
        ("http://a.example:80で", ["http://a.example:80"]),
        ("https://a.example/%E8%8C%B6页", ["https://a.example/茶"]),
        ("https://a.example/b・https://c.example/d", ["https://a.example/b", "https://c.example/d"]),
        ("**https://a.example/b**是", ["https://a.example/b"]),
        ("**https://a.example/b**（c）", ["https://a.example/b"]),
        ("*https://a.example/b*和~~https://c.example~~的", ["https://a.example/b", "https://c.example"]),
        ("https://a.example/b,然后", ["https://a.example/b"]),
        ("https://a.example/b!好", ["https://a.example/b"]),
        ("(https://a.example/b)是", ["https://a.example/b"]),
        ("https://a.example/b(官网)", ["https://a.example/b"]),
        ('"https://a.example/b"和"https://c.example/d"', ["https://a.example/b", "https://c.example/d"]),
        ("'https://a.example/b'是", ["https://a.example/b"]),
        ("请联系a@b.org。", ["a@b.org"]),
        ("邮箱：a.b+c@d.org，e@f.org", ["a.b+c@d.org", "e@f.org"]),
        ("a@b.org으로", ["a@b.org"]),
        ("“a@b.org”", ["a@b.org"]),
    ],
)
def test_an_address_ends_where_a_reader_ends_it(text: str, expected: list[str]) -> None:
    assert links(text) == expected


@pytest.mark.parametrize(
    "address",
    [
        "https://例子.example/路",
        "https://zh.example/wiki/中文",
        "https://zh.example/wiki/Python_(编程语言)",
        "https://ja.example/wiki/レオナルド・ダ・ヴィンチ",
        "https://ko.example/위키/서울#역사",
        "https://a.example/b?c=茶&d=茶#第1章",
        "https://zh.example/wiki/Wikipedia:首页",
        "https://a.公司",
        "https://a.example/café/b",
    ],
)
def test_an_address_may_have_letters_of_these_languages(address: str) -> None:
    assert links(f"见 {address} 好") == links(f"（{address}）。") == [address]


def test_an_address_in_brackets_has_what_its_writer_gave_it() -> None:
    assert links("[茶](<https://a.example/b，c是>)") == ["茶"]
    assert "%EF%BC%8Cc%E6%98%AF" in render_markdown("[茶](<https://a.example/b，c是>)")
    assert links("<https://a.example/b，c是>") == ["https://a.example/b，c是"]


def test_a_struck_address_is_struck() -> None:
    assert re.fullmatch("<p><s><a [^>]*>https://a.b/c</a></s> d</p>\n", render_markdown("~~https://a.b/c~~ d"))
