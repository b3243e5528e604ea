"""Debian's Chromium, as tests, screenshots and benchmarks start it, and what they do in it first."""

import itertools
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page

from tests.web.visitor import token_in

# Without the windows that nobody sees: the same engine at little more than half the processor time.
CHROMIUM = "/usr/bin/chromium-headless-shell"
# A name of this machine that is not its own address: plain http there is, to a browser, http on a network.
ON_THE_NETWORK = "teahouse.lan"
ARGUMENTS = [
    f"--host-resolver-rules=MAP {ON_THE_NETWORK} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
OpenPage = Callable[..., Awaitable[Page]]
_people = itertools.count(1)


def watch(page: Page, own: str, faults: list[str], allowed: Collection[str]) -> None:
    """Collect what must not happen. Policy violations are console errors; `allowed` are parts of expected ones."""

    def console(message: Any) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in allowed):
            faults.append(f"console: {message.text}")

    def request(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and f"{parts.scheme}://{parts.netloc}" != own:
            faults.append(f"request to {request.url}")

    async def dialog(dialog: Any) -> None:
        faults.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    page.on("console", console)
    page.on("dialog", dialog)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("request", request)


async def register(page: Page) -> str:
    """A new person, signed in and on the first page."""
    name = await sign_up(page)
    await page.goto("/")
    return name


async def register_by_hand(page: Page) -> str:
    """The same, where only the browser knows the server's name."""
    name = f"person{next(_people)}"
    await page.goto("/register")
    for field, value in {"username": name, "email": f"{name}@example.org", "password": "a long password"}.items():
        await page.fill(f"#{field}", value)
    await page.click("text=Create account")
    await page.wait_for_url("/")
    return name


async def sign_up(page: Page) -> str:
    """The same, on no page yet.

    Not by hand, which takes longer than most of what is then tried; tests/browser/test_admin.py types it all.
    """
    name = f"person{next(_people)}"
    token = token_in(await (await page.request.get("/register")).text())
    form: dict[str, Any] = {
        "csrf_token": token,
        "username": name,
        "email": f"{name}@example.org",
        "password": "a long password",
    }
    answer = await page.request.post("/register", form=form, max_redirects=0)
    assert answer.status == 303, answer
    return name
