"""What HTML of ours may hold, said once more and apart from the sanitiser's own list."""

import re
from html.parser import HTMLParser

ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "a blockquote br code div em h1 h2 h3 h4 h5 h6 hr input li ol p pre s section span strong sup table tbody td "
        "th thead tr ul kbd mark sub details summary label "
        "math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow mspace msqrt "
        "msub msubsup msup mtable mtd mtext mtr munder munderover semantics annotation b i u",
    )
)
# Elements of MathML carry only these, and none of them an address.
MATHS = frozenset(
    re.findall(
        r"\w+",
        "display displaystyle scriptlevel mathvariant stretchy symmetric largeop movablelimits form minsize maxsize "
        "width height voffset lspace rspace accent accentunder notation columnspan linethickness class",
    )
)
ATTRIBUTES = {
    "a": {"href", "title", "id", "class", "rel", "target"},
    "li": {"id", "class"},
    "ol": {"start", "class"},
    "th": {"align"},
    "td": {"align"},
    "code": {"class", "title"},
    "annotation": {"encoding"},
    "input": {"type", "checked", "disabled", "class"},
    **{name: {"class"} for name in ("div", "hr", "pre", "section", "span", "sup", "ul")},
}
DIRECTED = frozenset(re.findall(r"\w+", "blockquote code details div h1 h2 h3 h4 h5 h6 li ol p pre td th ul"))
LINK = re.compile(r"(?:https?://[^/\\\s]|mailto:)", re.IGNORECASE)
VALUE = re.compile(r"[\w .,%+-]*")
EMPTY = frozenset({"br", "hr", "input"})


class _Audit(HTMLParser):
    def __init__(self, id_prefix: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self._prefix = id_prefix
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self.faults.append(f"<{tag}>")
        if tag not in EMPTY:
            self.open.append(tag)
        values = {name: value or "" for name, value in attrs}
        for name, value in values.items():
            if not self._is_allowed(tag, name, value):
                self.faults.append(f"<{tag} {name}={value!r}>")
        if tag == "a" and values.get("rel") != "noopener noreferrer nofollow ugc":
            self.faults.append(f"<a rel={values.get('rel')!r}>")
        leads_away = values.get("href", "").lower().startswith("http")
        if "href" in values and (values.get("target") == "_blank") is not leads_away:
            self.faults.append(f"<a target={values.get('target')!r}> to {values['href']!r}")
        if tag == "input" and not ("disabled" in values and values.get("type") == "checkbox"):
            self.faults.append("<input> that can be used")

    def _is_allowed(self, tag: str, name: str, value: str) -> bool:
        if name == "href":
            return tag == "a" and (LINK.match(value) is not None or value.startswith(f"#{self._prefix}fn"))
        if name == "id":
            return tag in ("a", "li") and re.fullmatch(re.escape(self._prefix) + r"fn[\w-]+", value) is not None
        if name == "dir":
            return tag in DIRECTED and value in ("auto", "ltr", "rtl")
        if tag.startswith("m"):
            return name in MATHS and VALUE.fullmatch(value) is not None
        return name in ATTRIBUTES.get(tag, ())

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"<?{data}>")


def faults(html: str, *, id_prefix: str = "") -> list[str]:
    """Everything in the HTML that must not be there."""
    audit = _Audit(id_prefix)
    audit.feed(html)
    audit.close()
    return audit.faults + [f"<{tag}> is left open" for tag in audit.open]
