"""What stands in every page that can be opened: nothing inline, nothing from elsewhere, forms with their token."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import httpx
import pytest

from tests.api.serving import Served
from tests.web.belongings import belongings_of
from tests.web.routes import PUBLIC, page_routes
from tests.web.visitor import MISSING, Visitor, htmx, visitor

PAGES = [route for route in page_routes() if route.method == "GET"]


class Page(HTMLParser):
    """Everything about a page that must not be, and what each must have."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.ids: Counter[str] = Counter()
        self.forms: list[dict[str, str]] = []
        self.found: Counter[str] = Counter()
        self.lang = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found[tag] += 1
        if tag == "html":
            self.lang = given.get("lang", "")
        if tag == "style" or (tag == "script" and not given.get("src") and given.get("type") != "application/json"):
            self.faults.append(f"inline {tag}")
        for name, value in given.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                self.faults.append(f"{tag} {name}")
            if name in ADDRESSES and re.match(r"\s*(?:[a-z][a-z0-9+.-]*:|//)", value, re.IGNORECASE):
                self.faults.append(f"{tag} {name}={value}")
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag == "form":
            self.forms.append(given)
        if tag == "input" and given.get("name") == "csrf_token" and self.forms:
            self.forms[-1]["token"] = given.get("value", "")


ADDRESSES = {"src", "href", "action", "formaction", "srcset", "poster", "data", "hx-get", "hx-post", "hx-delete"}


def faults(answer: httpx.Response) -> list[str]:
    page = Page(answer.text)
    found = [*page.faults]
    found += [f"id {name} {count} times" for name, count in page.ids.items() if count > 1]
    found += [f"form {form.get('action')} without a token" for form in page.forms if is_unsafe(form)]
    if answer.headers["content-type"] != "text/html; charset=utf-8":
        found.append(answer.headers["content-type"])
    if page.found["html"]:
        if page.lang not in ("en", "zh-CN"):
            found.append(f"lang={page.lang}")
        for tag in ("h1", "main", "title"):
            if page.found[tag] != 1:
                found.append(f"{page.found[tag]} {tag}")
    if "unsafe" in answer.headers["content-security-policy"]:
        found.append("policy")
    return found


def is_unsafe(form: dict[str, str]) -> bool:
    """A form that changes something, without a token."""
    return form.get("method", "get") == "post" and not form.get("token")


@pytest.fixture
async def dana(served: Served) -> AsyncIterator[Visitor]:
    async with await visitor(served, "dana", role="admin") as dana:
        yield dana


async def test_A50_no_page_has_anything_inline_or_from_elsewhere(served: Served, dana: Visitor) -> None:
    ids, seen = await belongings_of(served, dana), 0
    await dana.answered("<b onclick=alert(1)>tea</b> <script>alert(1)</script> [[tokens=5]]")
    for route in PAGES:
        for target in (None, "chat"):
            answer = await dana.client.get(route.filled(ids), params=route.asked, headers=htmx(target))
            if answer.status_code == 303 or "attachment" in answer.headers.get("content-disposition", ""):
                continue
            assert answer.status_code == 200, (str(route), answer.text)
            if answer.headers["content-type"].startswith("text/html"):
                assert faults(answer) == [], (str(route), target)
                seen += 1
    assert seen >= 8


async def test_A50_nor_has_a_page_for_nobody_or_of_an_error(nobody: httpx.AsyncClient, alice: Visitor) -> None:
    for path in [route.path for route in PAGES if route.path in PUBLIC]:
        answer = await nobody.get(path)
        assert answer.status_code == 200 and faults(answer) == [], path
    for path in (f"/c/{MISSING}", "/c/nothing", "/nowhere/<b>"):
        for target in (None, "chat"):
            answer = await alice.get(path, target=target)
            assert answer.status_code in (404, 422) and faults(answer) == [], (path, answer.text)


def test_the_watch_sees_what_it_is_for() -> None:
    bad = '<p style="x" onclick="y"><a href="javascript:z">a</a><img src="//evil/x"><script>1</script><style></style>'
    assert len(Page(bad).faults) == 6
    assert Page('<a href="/c/1">a</a><script src="/x.js"></script><a href="#a">b</a>').faults == []
