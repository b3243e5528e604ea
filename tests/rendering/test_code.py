"""Code: coloured by class, from a list of languages, within limits; and the colours can be read."""

import re

import pytest

from app.rendering import highlight as module
from app.rendering.highlight import LEXERS, MAX_HIGHLIGHTED, highlight, language_of
from app.rendering.stylesheet import CONTRAST, DARK_PAPER, LIGHT_PAPER, contrast, stylesheet
from tests.rendering.audit import faults
from tests.rendering.undirected import render_markdown

STYLESHEET = "static/css/highlight.css"


def test_a_block_of_code_has_a_header_with_its_language() -> None:
    html = render_markdown("```python\nprint(1)\n```")
    frame = '<div class="code"><div class="code-header"><span class="code-language">python</span></div>'
    assert html.startswith(frame + '<pre><code class="language-python">')
    assert '<span class="nb">print</span>' in html
    assert "style=" not in html


@pytest.mark.parametrize(
    ("info", "label", "name"),
    [
        ("py", "py", "python"),
        ("C++", "c++", "cpp"),
        ("mermaid", "mermaid", "text"),
        ("", "", "text"),
        ('"><img src=x onerror=alert(1)>', "", "text"),
        ("x" * 10_000, "", "text"),
        ("python title=x onclick=y", "python", "python"),
        ("perl", "perl", "text"),
    ],
)
def test_A05_the_class_is_one_of_ours_whatever_the_fence_says(info: str, label: str, name: str) -> None:
    html = render_markdown(f"~~~{info}\nx\n~~~")
    assert f'<span class="code-language">{label}</span>' in html
    assert f'<code class="language-{name}">' in html


@pytest.mark.parametrize("language", sorted(LEXERS))
def test_every_language_keeps_every_character(language: str) -> None:
    code = "\n\n  a = '<b>' # &c\n\tdef f(x): return {1: \"é🍵\"}\n/* d */ // e\n<!-- f -->\n\n"
    html = highlight(code, language)
    assert faults(html) == []
    text = re.sub(r"<[^>]*>", "", html)
    assert (
        text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&#x27;", "'")
        .replace("&quot;", '"')
        == code
    )


def test_there_are_about_forty_lexers_and_perl_is_not_one() -> None:
    assert 35 <= len(set(LEXERS.values())) <= 50
    assert language_of("perl") == ""


def test_code_beyond_the_ceiling_is_plain() -> None:
    code = "a_name_of_some_length = 1\n" * (MAX_HIGHLIGHTED // 26)
    for more, is_plain in (("", False), ("x = 1\n" * 10, True)):
        html = render_markdown(f"```python\n{code}{more}```")
        assert ('<span class="mi"' not in html) is is_plain
        assert ('class="code-language uncoloured"' in html) is is_plain
    assert "uncoloured" not in render_markdown(f"```\n{code}x\n```")


def test_code_that_takes_a_lexer_too_long_is_plain_and_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "too = long\n"
    clock = iter([0.0, 0.0, 100.0])
    monkeypatch.setattr("time.thread_time", lambda: next(clock))
    assert highlight(code, "python") == code
    monkeypatch.undo()
    assert highlight(code, "python") == code


@pytest.mark.parametrize(("language", "shape"), [("csharp", "a\n"), ("java", "\n"), ("c", "\r"), ("xml", "<!--")])
def test_a_quadratic_lexer_is_stopped(language: str, shape: str) -> None:
    ticks = 0.0

    class Clock:
        def thread_time(self) -> float:
            nonlocal ticks
            ticks += 1
            return ticks / 1000  # a token takes a thousandth: the count decides, not this machine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", Clock())
        highlight(shape * (MAX_HIGHLIGHTED // len(shape)), language)
    assert ticks <= module.SECONDS_OF_LONG * 1000 + 2


@pytest.mark.parametrize("language", ["python", "css", "javascript", "yaml", "c", "ruby"])
def test_a_lexer_that_sees_less_finds_the_same(language: str) -> None:
    code = "/* a */ body { x: 'y' } # z\n\n  def f(x): return 'a'\n- a: [b, c]\n" * 180
    window = module.WINDOW
    assert window < len(code) < 2 * window
    assert list(module._lexer(language, window).get_tokens(code)) == list(module._lexer(language, 0).get_tokens(code))


def test_no_step_of_a_lexer_sees_more_than_its_window() -> None:
    """The end of a comment that stands far behind it is not looked for."""
    code = "/*" + "a\n" * module.WINDOW + "*/\n"
    lengths = [
        [len(text) for _, text in module._lexer("css", window).get_tokens(code)] for window in (0, module.WINDOW)
    ]
    assert max(lengths[1]) <= module.WINDOW < max(lengths[0])


def test_the_stylesheet_is_the_one_that_is_made() -> None:
    with open(STYLESHEET, encoding="utf-8") as file:
        assert file.read() == stylesheet()


def test_every_colour_can_be_read_on_its_paper() -> None:
    pairs = re.findall(r"color: light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\);", stylesheet())
    assert len(pairs) > 10
    for light, dark in pairs:
        assert contrast(light, LIGHT_PAPER) >= CONTRAST, light
        assert contrast(dark, DARK_PAPER) >= CONTRAST, dark


def test_each_class_has_one_rule_for_both_themes_and_no_background() -> None:
    css = stylesheet()
    classes = re.findall(r"\.(\w+)[,)]", css)
    assert len(classes) == len(set(classes)) > 50
    assert css.count("light-dark(") == css.count("{")
    assert "background" not in css


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.01)
