"""The allow-list, last of all steps: whatever came before, nothing active is left."""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nh3 import Cleaner

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "em", "strong", "s", "a"),
    *("sub", "kbd", "mark", "u", "details", "summary", "label"),
    *("code", "pre", "span", "div", "table", "thead", "tbody", "tr", "th", "td", "sup", "section", "input"),
}
# What the converter writes (app/rendering/maths.py); the last few stand in its texts.
MATHML = {
    *("math", "semantics", "annotation", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts"),
    *("mtable", "mtr", "mtd", "menclose", "mpadded", "mphantom", "b", "i", "u"),
}
STYLE = {"displaystyle", "scriptlevel"}
ATTRIBUTES = {
    "a": {"href", "title", "id"},
    "li": {"id"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
    "input": {"type", "checked", "disabled"},
    "math": {"display"},
    "mi": {"mathvariant"},
    "mo": {
        *("stretchy", "symmetric", "largeop", "movablelimits", "form", "lspace", "rspace", "minsize", "maxsize"),
    },
    "mspace": {"width"},
    "mpadded": {"width", "height", "voffset"},
    "mrow": STYLE,
    "mtable": STYLE,
    "mfrac": STYLE | {"linethickness"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "mtd": {"columnspan"},
    "menclose": {"notation"},
}
VALUES = {
    "a": {"target": {"_blank"}},
    "code": {"title": {"LaTeX"}},
    "annotation": {"encoding": {"application/x-tex"}},
}
DIRECTED = {
    *("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "details"),
    *("div", "th", "td", "pre"),
}
SCHEMES = {"http", "https", "mailto"}
REL = "noopener noreferrer nofollow ugc"


@lru_cache(maxsize=1)
def _classes() -> dict[str, set[str]]:
    from pygments.token import STANDARD_TYPES

    from app.rendering.highlight import LEXERS
    from app.rendering.math_styles import CLASSES

    languages = {f"language-{name}" for name in {*LEXERS.values(), "text"}}
    return {
        **dict.fromkeys(("mrow", "mspace", "mpadded", "mfrac", "mtable", "mtd", "mtext"), CLASSES),
        "div": {"code", "code-header", "table", "math"},
        "span": {name for name in STANDARD_TYPES.values() if name}
        | CLASSES
        | {"code-language", "math", "math-tied", "uncoloured"},
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
        tag_attribute_values=VALUES | {tag: {"dir": {"auto", "ltr", "rtl"}} for tag in DIRECTED},
        set_tag_attribute_values={"code": {"dir": "ltr"}},
        url_schemes=SCHEMES,
        link_rel=REL,
        strip_comments=True,
    )


def sanitize(html: str) -> str:
    return _cleaner().clean(html)
