"""Where states of pages are shown: servers, and for each language somebody who has used Teahouse for a while."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import httpx
from playwright.async_api import Browser, CDPSession, Page

from tests.browser.chromium import watch
from tests.browser.seeds import MODEL, seed
from tests.browser.servers import model_process, teahouse_process
from tests.ports import free_port

LANGUAGES = ("en", "zh-CN")
PASSWORD = "a long password"
NAMES = {"en": "robin", "zh-CN": "小林"}
# Members, so that administrators have somebody to look after; the last one is disabled.
OTHERS = ("mira", "jonas", "tom.retired")
WIDE, NARROW = (1280, 800), (390, 844)


@dataclass
class Scene:
    """One language: pages of somebody who is signed in, of nobody, and of servers that are in a special state.

    `paths` are the prepared conversations; `faults` is what went wrong meanwhile, but for what is `allowed`.
    """

    language: str
    url: str
    page: Page
    nobody: Page
    fresh: Page
    bare: Page
    api: httpx.AsyncClient
    paths: dict[str, str]
    faults: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    async def begin(self, content: str, title: str) -> str:
        """A conversation whose answer is being written, slowly and without end: its path."""
        path = await self.make(title)
        await self.say(path, content)
        return path

    async def make(self, title: str) -> str:
        """A conversation in which nothing was said: its path."""
        conversation = await self._post("/conversations", {"model": MODEL, "title": title})
        self.made.append(conversation["id"])
        return f"/c/{conversation['id']}"

    async def say(self, path: str, content: str) -> None:
        await self._post(f"/conversations/{path.rsplit('/', 1)[1]}/messages", {"content": content})

    async def _post(self, path: str, body: Any) -> Any:
        answer = await self.api.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    async def rest(self) -> None:
        """Nothing runs and nothing more is there than before."""
        for page in (self.page, self.nobody):
            if page.url.endswith(NOTHING):
                continue  # where it was left the last time
            await page.unroute_all(behavior="ignoreErrors")
            await page.evaluate(WITHOUT_WORKER)
            await page.goto(NOTHING)
        for conversation_id in self.made:
            await self.api.delete(f"/conversations/{conversation_id}")
        self.made.clear()
        for job in (await self.api.get("/jobs")).json()["items"]:
            if job["status"] in ("queued", "running"):
                await self.api.post(f"/jobs/{job['id']}/cancel", json={})
        self.allowed.clear()


State = Callable[[Scene], Awaitable[Page]]


@contextlib.asynccontextmanager
async def scenes(browser: Browser, folder: Path) -> AsyncIterator[dict[str, Scene]]:
    """By language. The models' downloads and answers are the storyteller's."""
    dead = f"http://127.0.0.1:{free_port()}"
    folders = [folder / name for name in ("used", "fresh", "bare")]
    for each in folders:
        each.mkdir()
    with contextlib.ExitStack() as stack:
        model_url = stack.enter_context(model_process("tests.browser.storyteller"))
        used = stack.enter_context(teahouse_process(folders[0] / "data", model_url, model_slots="1"))
        fresh = stack.enter_context(teahouse_process(folders[1] / "data", model_url))
        bare = stack.enter_context(teahouse_process(folders[2] / "data", dead, signup="closed"))
        async with contextlib.AsyncExitStack() as closing:
            made = dict[str, Scene]()
            for language in LANGUAGES:
                apis = [await _account(server.url, language) for server in (used, bare)]
                for api in apis:
                    closing.push_async_callback(api.aclose)
                me = (await apis[0].get("/auth/me")).json()
                paths = await asyncio.to_thread(seed, used.data_dir, me["id"], language)
                faults, allowed = list[str](), list[str]()
                seen_at = _Opener(closing, browser, language, faults, allowed)
                made[language] = Scene(
                    language=language,
                    url=used.url,
                    page=await _signed_in(await seen_at(used.url), language),
                    nobody=await seen_at(used.url),
                    fresh=await seen_at(fresh.url),
                    bare=await _signed_in(await seen_at(bare.url), language),
                    api=apis[0],
                    paths=paths,
                    faults=faults,
                    allowed=allowed,
                )
            await _add_others(made[LANGUAGES[0]].api)
            yield made


async def _add_others(api: httpx.AsyncClient) -> None:
    for name in OTHERS:
        account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        user = (await api.post("/users", json=account)).json()
    await api.patch(f"/users/{user['id']}", json={"disabled": True})


# Of the same origin: the way to another one, and back, costs a new renderer.
NOTHING = "/static/icons/teahouse-news.svg"
# The next state begins as a first visit does.
WITHOUT_WORKER = """() => navigator.serviceWorker?.getRegistrations()
  .then(all => Promise.all(all.map(each => each.unregister()))).catch(() => {})"""

# What is touched stays so with its session, and what is touched no more is not hovered over before the next page.
_fingers: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()


async def resize(page: Page, size: tuple[int, int]) -> None:
    """To a screen of that size; the narrow one is touched."""
    if page.viewport_size == {"width": size[0], "height": size[1]} and (size == NARROW) == (page in _fingers):
        return
    if size == NARROW and page not in _fingers:
        wire = _fingers[page] = await page.context.new_cdp_session(page)
        await wire.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    elif size != NARROW and page in _fingers:
        await _fingers.pop(page).detach()
    await page.set_viewport_size({"width": size[0], "height": size[1]})


@dataclass
class _Opener:
    """Pages in contexts of their own, watched."""

    closing: contextlib.AsyncExitStack
    browser: Browser
    language: str
    faults: list[str]
    allowed: list[str]

    async def __call__(self, url: str) -> Page:
        context = await self.browser.new_context(base_url=url, locale=self.language, timezone_id="Europe/Berlin")
        self.closing.push_async_callback(context.close)
        context.set_default_timeout(8000)
        page = await context.new_page()
        watch(page, url, self.faults, self.allowed)
        return page


async def _account(url: str, language: str) -> httpx.AsyncClient:
    """The first one registers, the others are made by the first one; all administer."""
    name = NAMES[language]
    account = {"username": name, "email": f"{language.lower()}@example.org", "password": PASSWORD}
    api = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=15, verify=False)
    if language == LANGUAGES[0]:
        answer = await api.post("/auth/register", json=account)
        assert answer.status_code == 201, answer.text
    else:
        first = await _token(api, NAMES[LANGUAGES[0]])
        answer = await api.post("/users", json=account | {"role": "admin"}, headers=first)
        assert answer.status_code == 201, answer.text
    api.headers.update(await _token(api, name))
    answer = await api.patch("/auth/me", json={"locale": language})
    assert answer.status_code == 200, answer.text
    return api


async def _token(api: httpx.AsyncClient, name: str) -> dict[str, str]:
    answer = await api.post("/auth/login", data={"username": name, "password": PASSWORD})
    api.cookies.clear()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def _signed_in(page: Page, language: str) -> Page:
    await page.goto("/login")
    await page.fill("#username", NAMES[language])
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url("/")
    return page
