"""Somebody with a browser that keeps cookies, reads forms and follows pollers."""

import html
import itertools
import re
from typing import Any, Self

import httpx

from tests.api.people import add_user
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD

MISSING = "0198c0de-0000-7000-8000-000000000000"
_numbers = itertools.count(1)


class Visitor:
    def __init__(self, name: str, client: httpx.AsyncClient) -> None:
        self.name, self.client = name, client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def get(self, path: str, *, target: str | None = None) -> httpx.Response:
        return await self.client.get(path, headers=htmx(target))

    async def post(self, path: str, *, target: str | None = None, **fields: Any) -> httpx.Response:
        """A form of ours, with its token; with `target` as htmx sends it."""
        data = {"csrf_token": await self.token(), **fields}
        return await self.client.post(path, data=data, headers=htmx(target))

    async def token(self) -> str:
        return token_in((await self.client.get("/")).text)

    async def ask(self, content: str = "Hello [[tokens=3]]") -> str:
        """A new conversation's path."""
        answer = await self.post("/", content=content, idempotency_key=f"key-{next(_numbers)}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def answered(self, content: str = "Hello [[tokens=3]]") -> str:
        """The same, once its answer is written."""
        path = await self.ask(content)
        await self.follow(path)
        return path

    async def follow(self, path: str, page: str | None = None) -> list[str]:
        """The fragments that the page's poller gets, to the last one. `page`: it is open already."""
        poller, fragments = poller_in(page or (await self.get(path)).text), list[str]()
        while poller:
            answer = await self.get(poller, target="")
            assert answer.status_code == 200, answer.text
            fragments.append(answer.text)
            poller = poller_in(answer.text)
        return fragments


def htmx(target: str | None) -> dict[str, str]:
    """What htmx 4 sends along; None: not htmx."""
    if target is None:
        return {}
    return {"HX-Request": "true", "HX-Target": f"div#{target}", "HX-Request-Type": "partial"}


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def poller_in(page: str) -> str | None:
    found = re.search(r'class="poller[^>]* hx-get="([^"]+)"', page)
    return html.unescape(found[1]) if found else None


def ids_in(page: str) -> list[str]:
    """Messages on a page, in order."""
    return re.findall(r'<article id="message-([0-9a-f-]{36})"', page)


async def visitor(served: Served, name: str, role: str = "member") -> Visitor:
    """A new person whose name begins like that, signed in."""
    unique = f"{name}{next(_numbers)}"
    await served.run(lambda: add_user(served.services.database, unique, role))
    return await on_another_device(served, unique)


async def on_another_device(served: Served, name: str) -> Visitor:
    """Somebody who is known there, signed in once more."""
    client = httpx.AsyncClient(base_url=served.url, timeout=15, verify=False)
    form = {"csrf_token": token_in((await client.get("/login")).text), "username": name, "password": PASSWORD}
    answer = await client.post("/login", data=form)
    assert answer.status_code == 303, answer.text
    return Visitor(name, client)


def without_tokens(page: str) -> str:
    """A page as it is each time: tokens of forms are new in every drawing, or each second, and models come and go."""
    page = page.replace(" · loaded</option>", "</option>")
    page = re.sub(r'(name="(?:csrf_token|idempotency_key)" value=")[^"]+', r"\1", page)
    return re.sub(r'("X-CSRF-Token": ")[^"]+', r"\1", page)
