"""Chinese, Japanese and Korean: emphasis and ends of lines where no space stands beside them."""

import re

import pytest

from app.rendering import StreamingRenderer
from tests.rendering.test_law import streamed, whole
from tests.rendering.test_streaming import letters
from tests.rendering.undirected import render_markdown, undirected

LEADS_AWAY = ' target="_blank" rel="noopener noreferrer nofollow ugc"'


def inline(text: str) -> str:
    """The paragraph that whole and streamed text becomes, without what is said of all links."""
    blocks = whole(text)
    assert streamed(letters(text)) == blocks
    return undirected("".join(blocks)).removeprefix("<p>").removesuffix("</p>\n").replace(LEADS_AWAY, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("含**「重点」**内容", "含<strong>「重点」</strong>内容"),
        ("**注意：**请先保存", "<strong>注意：</strong>请先保存"),
        ("使用**`npm install`**安装。", "使用<strong><code>npm install</code></strong>安装。"),
        ("**`a`**和", "<strong><code>a</code></strong>和"),
        ("先**（可选）**再*《书》*读", "先<strong>（可选）</strong>再<em>《书》</em>读"),
        ("***重点。***然后", "<em><strong>重点。</strong></em>然后"),
        ("他说**“你好”**就走", "他说<strong>“你好”</strong>就走"),
        ("涨了**+5%**左右", "涨了<strong>+5%</strong>左右"),
        ("用**C#**和**C++**写", "用<strong>C#</strong>和<strong>C++</strong>写"),
        ("**$100**元", "<strong>$100</strong>元"),
        ("**重点（key point）：**English", "<strong>重点（key point）：</strong>English"),
        ("Go**「初心者」**向け", "Go<strong>「初心者」</strong>向け"),
        ("これは**大事なこと。**だから", "これは<strong>大事なこと。</strong>だから"),
        ("ｶﾅ**(半角)**です", "ｶﾅ<strong>(半角)</strong>です"),
        ("**안녕(hello)**하세요", "<strong>안녕(hello)</strong>하세요"),
        ("**`npm`**를 실행", "<strong><code>npm</code></strong>를 실행"),
        ("ᅡ**(a)**", "ᅡ<strong>(a)</strong>"),
        ("𠮟**(a)**𠮟", "𠮟<strong>(a)</strong>𠮟"),
        ("葛\U000e0100**(a)**葛\U000e0100", "葛\U000e0100<strong>(a)</strong>葛\U000e0100"),
        ("大\ufe00**(a)**大\ufe00", "大\ufe00<strong>(a)</strong>大\ufe00"),
        ("**“\ufe01a”\ufe01**b", "<strong>“\ufe01a”\ufe01</strong>b"),
        ("a**㊗**b", "a<strong>㊗</strong>b"),
        ("。\ufe01_a._", "。\ufe01<em>a.</em>"),
        ("删~~「旧」~~新", "删<s>「旧」</s>新"),
        ("~~旧：~~新", "<s>旧：</s>新"),
        ("~~「a~~」", "<s>「a</s>」"),
        ("~~`a`~~和", "<s><code>a</code></s>和"),
        (
            "见[**「茶」**书](http://a.b)**（一）**页",
            '见<a href="http://a.b"><strong>「茶」</strong>书</a><strong>（一）</strong>页',
        ),
        ("**[茶](http://a.b)**的", '<strong><a href="http://a.b">茶</a></strong>的'),
    ],
)
def test_emphasis_beside_cjk_is_where_the_writer_meant_it(text: str, expected: str) -> None:
    assert inline(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "茶 ** 茶 ** 茶",
        "茶** 茶 **茶",
        "茶\u3000**\u3000茶",
        "茶\\*\\*「茶」\\*\\*茶",
        "snake_茶_case",
        "a**(b)**c",
        "a**“b”**c",
        "a~~()~~a",
        "a**🍵**c",
        "a**»a**a",
    ],
)
def test_what_is_no_emphasis_is_none(text: str) -> None:
    assert inline(text) == text.replace("\\", "")


def test_emphasis_beside_cjk_holds_in_every_block() -> None:
    bold = "含<strong>「重点」</strong>内容"
    text = "含**「重点」**内容"
    for block in (f"# {text}", f"- {text}", f"> {text}", f"|a|\n|-|\n|{text}|", f"[^a]\n\n[^a]: {text}"):
        assert bold in render_markdown(block)


@pytest.mark.parametrize(
    "text", ["今天，\n我们", "これは\nカナ", "茶 \n  茶", "他说：\n“好”", "한국\n사람", "茶\na", "a\n茶", "🍵\n🍵"]
)
def test_an_end_of_line_is_a_break_and_no_space(text: str) -> None:
    first, second = text.split("\n")
    assert inline(text) == f"{first.strip()}<br>\n{second.strip()}"
    assert inline(f"**{first.strip()}**\n`{second.strip()}`").count("<br>") == 1


def test_lines_stay_lines_where_they_are_shown_as_lines() -> None:
    assert "茶\n茶" in render_markdown("```\n茶\n茶\n```")
    assert render_markdown("- 茶\n- 茶\n").count("<li>") == 2


def test_no_space_between_lines_is_seen_while_text_is_written() -> None:
    renderer = StreamingRenderer()
    for letter in "今天天气很好，我们一起去公园散步，\n看看花开了没有，" * 5:
        renderer.feed(letter)
        assert not re.search(r"[^\s>]\n[^\s<]", "".join(renderer.blocks))
