"""The allow-list, last of all steps: whatever came before, nothing active is left."""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nh3 import Cleaner

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "em", "strong", "s", "a"),
    *("sub", "kbd", "mark", "u", "details", "summary"),
    *("code", "pre", "span", "div", "table", "thead", "tbody", "tr", "th", "td", "sup", "section", "input"),
}
MATHML = {
    *("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup"),
    *("munder", "mover", "munderover", "mtable", "mtr", "mtd", "menclose", "mstyle", "mpadded", "mphantom"),
    *("mmultiscripts", "mprescripts"),
}
SPACING = {"width", "height", "depth", "lspace", "rspace", "stretchy", "fence", "separator", "minsize", "maxsize"}
ATTRIBUTES = {
    "a": {"href", "title", "id"},
    "li": {"id"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
    "input": {"type", "checked", "disabled"},
    "math": {"display"},
    "mi": {"mathvariant"},
    "mo": SPACING | {"mathvariant"},
    "mspace": SPACING,
    "mpadded": SPACING,
    "mstyle": {"displaystyle", "scriptlevel"},
    "menclose": {"notation"},
    "mtable": {"columnalign", "columnspacing", "rowspacing"},
    "mtd": {"columnalign"},
    "mfrac": {"linethickness"},
}
SCHEMES = {"http", "https", "mailto"}
REL = "noopener noreferrer nofollow ugc"


@lru_cache(maxsize=1)
def _classes() -> dict[str, set[str]]:
    from pygments.token import STANDARD_TYPES

    from app.rendering.highlight import LEXERS

    languages = {f"language-{name}" for name in {*LEXERS.values(), "text"}}
    return {
        "div": {"code", "code-header", "table", "math"},
        "span": {name for name in STANDARD_TYPES.values() if name} | {"code-language", "math"},
        "code": languages | {"math-source"},
        "ul": {"contains-task-list"},
        "li": {"task-list-item", "footnote-item"},
        "input": {"task-list-item-checkbox"},
        "sup": {"footnote-ref"},
        "a": {"footnote-backref", "image"},
        "section": {"footnotes"},
        "ol": {"footnotes-list", "contains-task-list"},
        "hr": {"footnotes-sep"},
    }


@lru_cache(maxsize=1)
def _cleaner() -> "Cleaner":
    import nh3

    return nh3.Cleaner(
        tags=TAGS | MATHML,
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        allowed_classes=_classes(),
        tag_attribute_values={"a": {"target": {"_blank"}}},
        url_schemes=SCHEMES,
        link_rel=REL,
        strip_comments=True,
    )


def sanitize(html: str) -> str:
    return _cleaner().clean(html)
