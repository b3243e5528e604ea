"""The states that a person can see: name to what brings a page there. Screenshots and the audits walk this list."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.async_api import Page, expect

from tests.browser import stories
from tests.browser.stage import NARROW, WIDE, Scene, State

MISSING = "/c/0198c0de-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Screen:
    name: str
    show: State
    sizes: tuple[tuple[int, int], ...]
    allowed: tuple[str, ...]


SCREENS: dict[str, Screen] = {}


def screen(
    name: str, *, sizes: tuple[tuple[int, int], ...] = (WIDE, NARROW), allowed: tuple[str, ...] = ()
) -> Callable[[State], State]:
    """`allowed`: parts of console messages that belong to the state."""

    def add(show: State) -> State:
        assert name not in SCREENS
        SCREENS[name] = Screen(name, show, sizes, allowed)
        return show

    return add


async def bring(name: str, scene: Scene) -> Page:
    """The page in that state, as wide as it can be seen there."""
    found = SCREENS[name]
    scene.allowed[:] = found.allowed
    width, height = found.sizes[0]
    for page in (scene.page, scene.nobody, scene.fresh, scene.bare):
        await page.set_viewport_size({"width": width, "height": height})
    return await found.show(scene)


# --- signed out ---------------------------------------------------------------------------------------------------


@screen("sign-in")
async def sign_in(scene: Scene) -> Page:
    await scene.nobody.goto("/login")
    return scene.nobody


@screen("sign-in-refused", allowed=("status of 401",))
async def sign_in_refused(scene: Scene) -> Page:
    page = await sign_in(scene)
    await page.fill("#username", "robin")
    await page.fill("#password", "not the password")
    await page.press("#password", "Enter")
    await expect(page.locator(".form-error")).to_be_visible()
    return page


@screen("register")
async def register(scene: Scene) -> Page:
    await scene.nobody.goto("/register")
    return scene.nobody


@screen("register-refused", allowed=("status of 422", "status of 409"))
async def register_refused(scene: Scene) -> Page:
    page = await register(scene)
    await page.fill("#username", "robin")
    await page.fill("#email", "en@example.org")
    await page.fill("#password", "a long password")
    await page.press("#password", "Enter")
    await expect(page.locator(".form-error, .field-error").first).to_be_visible()
    return page


@screen("first-run")
async def first_run(scene: Scene) -> Page:
    await scene.fresh.goto("/register")
    return scene.fresh


@screen("no-model")
async def no_model(scene: Scene) -> Page:
    """Nobody has a conversation there, and no model server answers."""
    await scene.bare.goto("/")
    return scene.bare


# --- the first page and the list ----------------------------------------------------------------------------------


@screen("new-conversation")
async def new_conversation(scene: Scene) -> Page:
    await scene.page.goto("/")
    return scene.page


@screen("drawer", sizes=(NARROW,))
async def drawer(scene: Scene) -> Page:
    page = await new_conversation(scene)
    await page.click(".drawer")
    await expect(page.locator("#sidebar")).to_be_visible()
    return page


# --- a conversation -----------------------------------------------------------------------------------------------


async def opened(scene: Scene, name: str) -> Page:
    await scene.page.goto(scene.paths[name])
    await expect(scene.page.locator(".message").last).to_be_visible()
    return scene.page


@screen("answer-rich")
async def answer_rich(scene: Scene) -> Page:
    """Its end: the view of a conversation begins there."""
    return await opened(scene, "rich")


@screen("answer-rich-top")
async def answer_rich_top(scene: Scene) -> Page:
    page = await opened(scene, "rich")
    await page.locator(".message").first.evaluate("message => message.scrollIntoView()")
    return page


@screen("thinking-open")
async def thinking_open(scene: Scene) -> Page:
    page = await answer_rich_top(scene)
    await page.locator(".thinking summary").first.click()
    return page


@screen("answer-tools")
async def answer_tools(scene: Scene) -> Page:
    """How it was made, opened; the tools are seen because one has the focus."""
    page = await opened(scene, "rich")
    await page.locator(".from-assistant .tools summary").last.click()
    return page


@screen("answer-stopped")
async def answer_stopped(scene: Scene) -> Page:
    return await opened(scene, "stopped")


@screen("answer-failed")
async def answer_failed(scene: Scene) -> Page:
    return await opened(scene, "failed")


@screen("answer-cut")
async def answer_cut(scene: Scene) -> Page:
    return await opened(scene, "cut")


@screen("context-nearly-full")
async def context_nearly_full(scene: Scene) -> Page:
    return await opened(scene, "full")


@screen("siblings")
async def siblings(scene: Scene) -> Page:
    page = await opened(scene, "siblings")
    await page.locator(".from-assistant").last.hover()
    return page


@screen("long-conversation")
async def long_conversation(scene: Scene) -> Page:
    page = await opened(scene, "long")
    await page.locator(".message").first.evaluate("message => message.scrollIntoView({block: 'center'})")
    return page


@screen("answer-writing")
async def answer_writing(scene: Scene) -> Page:
    question = stories.WRITING.in_(scene.language)
    await scene.page.goto(await scene.begin(question, question))
    await expect(scene.page.locator(".from-assistant .open p").last).to_be_visible()
    return scene.page


@screen("answer-thinking")
async def answer_thinking(scene: Scene) -> Page:
    question = stories.THINKING.in_(scene.language)
    await scene.page.goto(await scene.begin(question, question))
    await expect(scene.page.locator(".thinking").last).to_contain_text("g" if scene.language == "en" else "。")
    return scene.page


@screen("answer-queued")
async def answer_queued(scene: Scene) -> Page:
    """There is one slot, and another conversation has it."""
    question = stories.WRITING.in_(scene.language)
    await scene.begin(question, question)
    path = await scene.begin(stories.PLAIN_QUESTION.in_(scene.language), stories.RICH_TITLE.in_(scene.language))
    await scene.page.goto(path)
    await expect(scene.page.locator(".status").last).to_be_visible()
    return scene.page


@screen("message-edit")
async def message_edit(scene: Scene) -> Page:
    page = await opened(scene, "stopped")
    path = await page.locator(".from-user a[href$='/edit']").last.get_attribute("href")
    await page.goto(path or "")
    return page


@screen("rename")
async def rename(scene: Scene) -> Page:
    await scene.page.goto(f"{scene.paths['rich']}/rename")
    return scene.page


@screen("delete")
async def delete(scene: Scene) -> Page:
    await scene.page.goto(f"{scene.paths['rich']}/delete")
    return scene.page


@screen("printed", sizes=(WIDE,))
async def printed(scene: Scene) -> Page:
    page = await opened(scene, "rich")
    await page.emulate_media(media="print")
    return page


# --- what went wrong ----------------------------------------------------------------------------------------------


@screen("not-found", allowed=("status of 404",))
async def not_found(scene: Scene) -> Page:
    await scene.page.goto(MISSING)
    return scene.page


@screen("offline", allowed=("ERR_", "Failed to fetch", "htmx:"))
async def offline(scene: Scene) -> Page:
    """The server is gone while an answer is being written."""
    page = await answer_writing(scene)
    await page.route("**/jobs/**", lambda route: route.abort())
    await expect(page.locator(".toast").last).to_be_visible(timeout=15_000)
    return page
