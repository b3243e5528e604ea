"""Styles say start and end, never left and right: what is drawn around Arabic and Hebrew is mirrored with them."""

import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT

STYLESHEETS = [*ROOT.glob("static/css/*.css"), *ROOT.glob("frontend-islands/src/**/*.css")]
COMPONENTS = list(ROOT.glob("frontend-islands/src/**/*.vue"))

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_DECLARATION = re.compile(r"(?<=[{;])\s*([\w-]+)\s*:\s*([^;{}]+)")
_PHYSICAL = re.compile(r"(?:.*-)?(?:left|right)(?:-.*)?")  # as a property, or as a word of a value
_SIDES = re.compile(r"inset|margin|padding|border-(?:width|style|color|radius)|scroll-(?:margin|padding)")
_VALUE = re.compile(r"(?:[^\s()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))+")


def physical(css: str) -> Iterator[str]:
    """Declarations that name the left or the right, or set them apart as the second and fourth of four values."""
    for name, value in _DECLARATION.findall(_COMMENT.sub("", css)):
        words = _VALUE.findall(value.replace("!important", ""))
        if _PHYSICAL.fullmatch(name) or any(map(_PHYSICAL.fullmatch, words)) or _differs(name, words):
            yield f"{name}: {value.strip()}"


def _differs(name: str, words: list[str]) -> bool:
    if not _SIDES.fullmatch(name) or "/" in words:
        return False
    if name == "border-radius":  # of four corners, the first two are the top's
        top_left, top_right, bottom_right, bottom_left = (words * 4)[:4] if len(words) != 3 else [*words, words[1]]
        return (top_left, bottom_left) != (top_right, bottom_right)
    return len(words) == 4 and words[1] != words[3]


@pytest.mark.parametrize(
    "css",
    [
        "a { margin-left: 1px }",
        "a { color: red; right: 0; }",
        "a { border-top-left-radius: 1px }",
        "a { text-align: right; }",
        "a { float: left }",
        "a { position-area: top span-left }",
        "@media (width < 1px) { a { padding: 0 var(--a) max(1px, env(x, calc(2px * 3))) 0 } }",
        "a { inset: 0 auto 0 0 !important }",
        "a { border-radius: 1px 0 }",
        "a { border-radius: 1px 0 0 1px }",
    ],
)
def test_the_finder_finds(css: str) -> None:
    assert list(physical(css))


def test_the_finder_lets_pass_what_has_no_side() -> None:
    css = "a:hover { padding: 0 1px; inset: auto 0 1px; margin: 1px 2px 3px 2px; border-radius: 0 0 1px 1px }"
    assert list(
        physical(css + "/* a { left: 0 } */ b { padding-inline: env(safe-area-inset-left) 0; border-radius: 0 0 1px }")
    ) == ["border-radius: 0 0 1px"]


def test_styles_name_neither_left_nor_right() -> None:
    assert len(STYLESHEETS) > 15
    styles = [(path, path.read_text()) for path in STYLESHEETS]
    styles += [(path, css) for path in COMPONENTS for css in _STYLE.findall(path.read_text())]
    assert [f"{path.relative_to(ROOT)}: {found}" for path, css in styles for found in physical(css)] == []
