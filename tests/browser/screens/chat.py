"""A conversation, and an answer on its way."""

from playwright.async_api import Page, expect

from tests.browser import stories
from tests.browser.screens.registry import screen
from tests.browser.stage import WIDE, Scene


async def opened(scene: Scene, name: str) -> Page:
    """A prepared conversation; the view begins at its end."""
    await scene.page.goto(scene.paths[name])
    await expect(scene.page.locator(".message").last).to_be_visible()
    return scene.page


def opens(name: str, prepared: str) -> None:
    async def show(scene: Scene) -> Page:
        return await opened(scene, prepared)

    screen(name)(show)


opens("answer-rich", "rich")
opens("answer-stopped", "stopped")
opens("answer-failed", "failed")
opens("answer-cut", "cut")
opens("context-nearly-full", "full")


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


@screen("long-conversation")
async def long_conversation(scene: Scene) -> Page:
    page = await opened(scene, "long")
    await page.locator(".message").nth(3).evaluate("message => message.scrollIntoView({block: 'center'})")
    return page


@screen("answer-writing")
async def answer_writing(scene: Scene) -> Page:
    question = stories.WRITING.in_(scene.language)
    await scene.page.goto(await scene.begin(question, question))
    await expect(scene.page.locator(".from-assistant .prose").last).to_contain_text("1610")
    return scene.page


@screen("answer-thinking")
async def answer_thinking(scene: Scene) -> Page:
    question = stories.THINKING.in_(scene.language)
    await scene.page.goto(await scene.begin(question, question))
    await expect(scene.page.locator(".thinking details").last).to_be_visible()
    return scene.page


@screen("answer-thinking-open")
async def answer_thinking_open(scene: Scene) -> Page:
    page = await answer_thinking(scene)
    await page.locator(".thinking summary").last.click()
    await expect(page.locator(".thinking").last).to_contain_text("350")
    return page


@screen("answer-queued")
async def answer_queued(scene: Scene) -> Page:
    """There is one slot, and another conversation has it."""
    question = stories.WRITING.in_(scene.language)
    await scene.begin(question, question)
    path = await scene.begin(stories.PLAIN_QUESTION.in_(scene.language), stories.RICH_TITLE.in_(scene.language))
    await scene.page.goto(path)
    await expect(scene.page.locator(".status").last).to_be_visible()
    return scene.page


@screen("answer-in-trouble")
async def answer_in_trouble(scene: Scene) -> Page:
    """The model server is busy, and has said for how long."""
    question = stories.HURRIED.in_(scene.language)
    await scene.page.goto(await scene.begin(question, question))
    await expect(scene.page.locator(".trouble").last).to_be_visible()
    return scene.page


@screen("answer-waits-for-the-one-above")
async def answer_waits(scene: Scene) -> Page:
    page = await answer_writing(scene)
    await scene.say(page.url, stories.PLAIN_QUESTION.in_(scene.language))
    await page.reload()
    await expect(page.locator(".status").last).to_be_visible()
    return page


@screen("new-text-below")
async def new_text_below(scene: Scene) -> Page:
    """The reader has scrolled up while the answer goes on."""
    question = stories.WRITING.in_(scene.language)
    path = scene.paths["long"]
    await scene.say(path, question)
    await scene.page.goto(path)
    await expect(scene.page.locator(".from-assistant .prose").last).to_contain_text("1610")
    await scene.page.mouse.move(640, 300)
    await scene.page.mouse.wheel(0, -700)
    await expect(scene.page.locator("[data-newer]")).to_be_visible()
    return scene.page


@screen("settings-of-the-conversation")
async def settings_of_the_conversation(scene: Scene) -> Page:
    page = await opened(scene, "rich")
    await page.click("#options > summary")
    return page


@screen("settings-of-the-conversation-refused", allowed=("status of 422",))
async def settings_refused(scene: Scene) -> Page:
    page = await settings_of_the_conversation(scene)
    await page.fill("#option-temperature", "hot")
    await page.click("#options button[type=submit]")
    await expect(page.locator("#options .field-error")).to_be_visible()
    return page


@screen("offline", allowed=("ERR_", "Failed to fetch", "htmx:"))
async def offline(scene: Scene) -> Page:
    """The server is gone while an answer is being written."""
    page = await answer_writing(scene)
    await page.route("**/jobs/**", lambda route: route.abort())
    await expect(page.locator("#connection")).to_be_visible(timeout=15_000)
    return page


@screen("printed", sizes=(WIDE,))
async def printed(scene: Scene) -> Page:
    page = await opened(scene, "rich")
    await page.emulate_media(media="print")
    return page
