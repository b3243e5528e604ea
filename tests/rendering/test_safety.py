"""Whatever a person or a model writes does nothing but being read: in every state of a stream, and in the end."""

import pytest

from app.rendering import StreamingRenderer, render_blocks, render_markdown
from tests.rendering.audit import faults
from tests.rendering.payloads import load_payloads
from tests.rendering.undirected import escape_text

PAYLOADS = load_payloads()
FRAMES = (
    "{}",
    "words {} words",
    "- {}\n",
    "> {}",
    "| a |\n|---|\n| {} |\n",
    "# {}",
    "**{}**",
    "[{}](https://a.example)",
)


def test_there_are_many_payloads() -> None:
    assert len(set(PAYLOADS)) >= 120


@pytest.mark.parametrize(
    "html",
    [
        "<script>",
        "<img>",
        '<a href="javascript:x" rel="noopener noreferrer nofollow ugc"></a>',
        '<a href="//h" rel="noopener noreferrer nofollow ugc"></a>',
        '<a href="https://h"></a>',
        '<p onclick="x"></p>',
        '<p style="x"></p>',
        '<li id="app"></li>',
        '<input type="text">',
        '<mrow href="https://h"></mrow>',
        '<mspace width="1;x:"></mspace>',
        "<!-- x -->",
        "<p><em></p></em>",
        "<p>",
    ],
)
def test_the_audit_finds_what_it_is_for(html: str) -> None:
    assert faults(html) != []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_A01_A02_A03_A11_a_payload_does_nothing_in_any_place(payload: str) -> None:
    for frame in FRAMES:
        text = frame.format(payload) if "\n" not in payload else payload
        for block in render_blocks(text, id_prefix="m-1-"):
            assert faults(block, id_prefix="m-1-") == [], block
    assert faults(escape_text(payload)) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_A13_a_payload_does_nothing_while_it_arrives_letter_by_letter(payload: str) -> None:
    renderer = StreamingRenderer("m-1-")
    for letter in f"Some words, then {payload} and *more\n\nend":
        for block in renderer.feed(letter).blocks:
            assert faults(block, id_prefix="m-1-") == [], block
    renderer.finish()
    for block in renderer.blocks:
        assert faults(block, id_prefix="m-1-") == [], block


def test_all_payloads_together_do_nothing() -> None:
    renderer = StreamingRenderer("m-1-")
    text = "\n\n".join(PAYLOADS)
    for start in range(0, len(text), 11):
        for block in renderer.feed(text[start : start + 11]).blocks:
            assert faults(block, id_prefix="m-1-") == [], block
    renderer.finish()
    assert renderer.blocks == render_blocks(text, id_prefix="m-1-")
    assert faults("".join(renderer.blocks), id_prefix="m-1-") == []


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//evil.example",
        "/logout",
        "#app",
        "data:text/html,x",
        "smb://h/s",
        "ms-msdt:/x",
        "http:x",
    ],
)
def test_no_link_leads_anywhere_but_out_by_http_or_mail(url: str) -> None:
    assert "<a" not in render_markdown(f"[x]({url}) ![x]({url}) <{url}> [y][1]\n\n[1]: {url}\n")


def test_an_address_or_a_title_that_is_too_long_makes_no_link() -> None:
    long, longest = "https://a.example/" + "b" * 1983, "https://a.example/" + "b" * 1982
    for text in ("[x]({})", "![x]({})", "<{}>", "{} x", "[x][y]\n\n[y]: {}\n", "[x](mailto:a '{}')"):
        assert "<a" not in render_markdown(text.format(long)), text
        assert long in render_markdown(text.format(long)), text
    for text in ("[x]({})", "![x]({})", "<{}>", "{} x", "[x][y]\n\n[y]: {}\n"):
        assert f'href="{longest}"' in render_markdown(text.format(longest)), text
    assert f'title="{"b" * 1000}"' in render_markdown(f"[x](https://a.example '{'b' * 1000}')")


def test_a_title_on_many_lines_is_no_longer_either() -> None:
    assert "<a" not in render_markdown("[a]\n\n[a]: mailto:b '" + "d\n" * 1000 + "'")
    assert "<a" in render_markdown("[a]\n\n[a]: mailto:b '" + "d\n" * 100 + "'")


def test_a_link_says_that_we_do_not_vouch_for_it() -> None:
    html = render_markdown("[x](https://a.example/b?c=1&d=2 'title')")
    assert 'href="https://a.example/b?c=1&amp;d=2"' in html
    assert 'rel="noopener noreferrer nofollow ugc"' in html
    assert 'target="_blank"' in html, "the conversation stays where it is"
    assert "target" not in render_markdown("[^1] <mailto:a@b.co>\n\n[^1]: a note")


def test_an_image_is_a_link_that_says_where_it_would_come_from() -> None:
    html = render_markdown("![a *b*](https://evil.example/?q=1)")
    assert "<img" not in html
    assert ">a b (image from evil.example)</a>" in html


def test_an_image_in_a_link_is_words_in_that_link() -> None:
    html = render_markdown("[![a](https://b.example/c.png) d](https://e.example)")
    assert html.count("<a") == 1
    assert 'href="https://e.example"' in html
    assert ">a (image from b.example) d</a>" in html


def test_A12_ids_begin_with_the_messages_prefix_and_names_do_not_exist() -> None:
    html = render_markdown("# app\n\nx[^1] y[^1]\n\n[^1]: <b id=app name=csrf>z\n", id_prefix="m-7-")
    assert 'id="m-7-fn1"' in html
    assert 'href="#m-7-fn1"' in html
    assert 'id="m-7-fnref1-1"' in html
    assert faults(html, id_prefix="m-7-") == []


def test_text_that_looks_like_an_id_is_left_alone() -> None:
    html = render_markdown('x[^1] `id="fn1"`\n\n```\nhref="#fn1"\n```\n\n[^1]: z', id_prefix="m-7-")
    assert "m-7-fn1" in html
    assert '>id="fn1"<' in html.replace("&quot;", '"')
    assert 'href="#fn1"\n' in html.replace("&quot;", '"')


def test_a_persons_message_is_paragraphs_and_line_breaks_and_nothing_else() -> None:
    assert escape_text("a *b*\r\nc\n\n\n<d> & e") == "<p>a *b*<br>c</p>\n<p>&lt;d&gt; &amp; e</p>\n"
    assert escape_text("\n \n") == ""
    assert escape_text("a\0\ud800") == "<p>a\ufffd\ufffd</p>\n"
