"""The main flow in the application, and that it shows what the pages show."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.application.conftest import OpenApplication, answer_text, ask, watch_to_end
from tests.browser.chromium import OpenPage, register
from tests.browser.test_chat import expected_of

pytestmark = pytest.mark.browser

LONG = "How is tea made? [[tokens=120 rate=25 first=100 text=markdown]]"
WRITES_AGAIN = """() => {
  new MutationObserver(() => (window.writesAgain ||= document.querySelector("[aria-busy]") !== null))
    .observe(document, { subtree: true, childList: true });
}"""
PLAIN = "Tell me of tea [[tokens=60 rate=20 first=100]]"


async def test_an_answer_grows_before_it_is_complete(alice: Page) -> None:
    await ask(alice, LONG)
    assert len(await watch_to_end(alice, expected_of(LONG))) > 5


async def test_the_message_is_the_same_html_as_on_the_pages(alice: Page) -> None:
    await ask(alice, LONG)
    await watch_to_end(alice, expected_of(LONG))
    grown = [await html_of(alice, ".said"), await html_of(alice, ".prose")]
    await alice.reload()
    await expect(alice.locator(".from-assistant .tools")).to_be_visible()
    assert [await html_of(alice, ".said"), await html_of(alice, ".prose")] == grown
    await alice.goto(alice.url.replace("/app/", "/"))
    assert [await html_of(alice, ".said"), await html_of(alice, ".prose")] == grown


async def html_of(page: Page, selector: str) -> str:
    """Without the button that scripts add to code."""
    html = await page.locator(selector).last.evaluate(
        """root => {
          const copy = root.cloneNode(true);
          for (const button of copy.querySelectorAll("button")) button.remove();
          return copy.innerHTML;
        }"""
    )
    return re.sub(r">\s+<", "><", re.sub(r"<!--.*?-->", "", html)).strip()


async def test_stopping_keeps_the_text_and_going_on_completes_it(alice: Page) -> None:
    await ask(alice, PLAIN)
    await expect(alice.locator(".open p").first).to_be_visible()
    await alice.wait_for_timeout(400)
    await alice.keyboard.press("Escape")
    await expect(alice.locator(".cut")).to_be_visible()
    kept = await answer_text(alice)
    assert 0 < len(kept) < len(expected_of(PLAIN))
    await alice.click(".cut button")
    await expect(alice.locator("[aria-busy]")).to_be_visible()
    await watch_to_end(alice, expected_of(PLAIN))


async def test_another_answer_stands_beside_the_first(alice: Page) -> None:
    await ask(alice, "Tea? [[tokens=5]]")
    await watch_to_end(alice, expected_of("Tea? [[tokens=5]]"))
    await alice.click(".from-assistant [aria-label='Another answer']")
    await expect(alice.locator(".branches .number")).to_have_text("2 of 2")
    await alice.click("[aria-label='Previous version']")
    await expect(alice.locator(".branches .number")).to_have_text("1 of 2")


async def test_asking_differently_keeps_the_first_wording(alice: Page) -> None:
    await ask(alice, "Tea? [[tokens=5]]")
    await watch_to_end(alice, expected_of("Tea? [[tokens=5]]"))
    await alice.click(".from-user [aria-label='Edit']")
    await alice.fill("#edited", "Coffee? [[tokens=6]]")
    await alice.click(".editor .primary")
    await expect(alice.locator(".said")).to_have_text("Coffee? [[tokens=6]]")
    await watch_to_end(alice, expected_of("Coffee? [[tokens=6]]"))
    await alice.click(".from-user [aria-label='Previous version']")
    await expect(alice.locator(".said")).to_have_text("Tea? [[tokens=5]]")


async def test_a_second_message_waits_for_the_first_answer(alice: Page) -> None:
    await ask(alice, "Tell me of tea [[tokens=80 rate=8]]")
    await ask(alice, "And now? [[tokens=5]]")
    await expect(alice.locator(".status").last).to_have_text("Waits for the answer above")
    await expect(alice.locator("[aria-busy]")).to_have_count(0, timeout=20_000)
    assert await answer_text(alice) == expected_of("And now? [[tokens=5]]")


async def test_a_list_that_was_read_before_a_message_was_sent_hides_nothing(open_application: OpenApplication) -> None:
    page, held = await open_application(), asyncio.Event()
    await ask(page, "Tea? [[tokens=5]]")
    await watch_to_end(page, expected_of("Tea? [[tokens=5]]"))

    async def late(route: Route) -> None:
        if route.request.method != "GET" or held.is_set():
            await route.continue_()
        else:
            answer = await route.fetch()
            await held.wait()
            await route.fulfill(response=answer)

    await page.route("**/api/v1/conversations/*/messages*", late)
    await page.reload()
    await ask(page, "And now? [[tokens=6]]")
    await expect(page.locator(".from-user:not(.pending)")).to_have_count(1)
    held.set()
    await expect(page.locator(".from-user")).to_have_count(2)
    await watch_to_end(page, expected_of("And now? [[tokens=6]]"))
    await expect(page.locator(".message")).to_have_count(4)


async def send_crossed(page: Page, listed: asyncio.Event, confirmed: asyncio.Event) -> None:
    """A second message whose list comes first, and whose confirmation comes once `confirmed` is set."""
    sent = asyncio.Event()
    await ask(page, "Tea? [[tokens=5]]")
    await watch_to_end(page, expected_of("Tea? [[tokens=5]]"))

    async def crossed(route: Route) -> None:
        is_list = route.request.method == "GET"
        if is_list:
            await sent.wait()
        answer = await route.fetch()
        if not is_list:
            sent.set()
            await confirmed.wait()
        await route.fulfill(response=answer)
        if is_list:
            listed.set()

    await page.route("**/api/v1/conversations/*/messages*", crossed)
    await page.reload()
    await ask(page, "And now? [[tokens=6]]")
    await watch_to_end(page, expected_of("And now? [[tokens=6]]"))


async def test_a_message_that_came_with_the_list_is_there_once(open_application: OpenApplication) -> None:
    page, listed = await open_application(), asyncio.Event()
    await send_crossed(page, listed, confirmed=listed)
    await expect(page.locator(".pending")).to_have_count(0)
    await expect(page.locator(".message")).to_have_count(4)


async def test_an_acceptance_that_comes_after_the_answer_takes_nothing_away(open_application: OpenApplication) -> None:
    page, confirmed = await open_application(), asyncio.Event()
    await send_crossed(page, asyncio.Event(), confirmed)
    await expect(page.locator(".pending")).to_have_count(1)
    await page.evaluate(WRITES_AGAIN)
    confirmed.set()
    await expect(page.locator(".pending")).to_have_count(0)
    await expect(page.locator(".message")).to_have_count(4)
    assert not await page.evaluate("window.writesAgain")


async def test_what_is_typed_while_the_first_message_is_sent_stays_in_the_composer(
    open_application: OpenApplication,
) -> None:
    page, held = await open_application(), asyncio.Event()

    async def late(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/api/v1/conversations/*/messages", late)
    await page.fill("#content", "Tea? [[tokens=5]]")
    await page.keyboard.press("Enter")
    await page.keyboard.type("And what of")
    held.set()
    await page.wait_for_url("**/app/c/*")
    await expect(page.locator("#content")).to_have_value("And what of")
    await page.click("a.new")
    await expect(page.locator("#content")).to_have_value("")


async def test_a_refused_message_is_still_in_the_composer(open_application: OpenApplication) -> None:
    page = await open_application(allowed=("status of 429",))
    await ask(page, "Tea? [[tokens=5]]")
    await watch_to_end(page, expected_of("Tea? [[tokens=5]]"))
    problem = '{"type": "urn:teahouse:queue_full", "detail": "Too much at once.", "request_id": "r"}'
    media = "application/problem+json"
    await page.route("**/messages*", lambda route: route.fulfill(status=429, body=problem, content_type=media))
    await page.fill("#content", "Once more")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-error")).to_have_text("Too much at once.")
    assert await page.input_value("#content") == "Once more"


async def test_the_palette_finds_conversations_and_commands(alice: Page) -> None:
    await ask(alice, "Oolong or green? [[tokens=5]]")
    await alice.keyboard.press("Control+k")
    await expect(alice.locator(".dialog input")).to_be_focused()
    await alice.keyboard.type("dark")
    await alice.keyboard.press("Enter")
    assert await alice.evaluate("document.documentElement.dataset.theme") == "dark"
    await alice.keyboard.press("?")
    await expect(alice.locator(".dialog")).to_have_count(0)  # a letter, where somebody types
    await alice.evaluate("document.activeElement.blur()")
    await alice.keyboard.press("?")
    await expect(alice.locator(".dialog")).to_contain_text("Keyboard shortcuts")
    await alice.keyboard.press("Escape")
    await expect(alice.locator(".dialog")).to_have_count(0)


async def test_signing_in_and_out_is_one_for_both_faces(open_page: OpenPage) -> None:
    page = await open_page(allowed=("status of 401", "status of 404"))
    name = await register(page)
    await page.goto("/app/")
    other = await page.context.new_page()
    await other.goto("/app/")
    await other.wait_for_selector("#content")
    await page.click(".account-menu")
    await page.click("text=Sign out")
    await page.wait_for_url("**/app/login*")
    await other.wait_for_url("**/app/login*")
    await page.goto("/")
    assert "/login" in page.url
    await page.goto("/app/login?next=/c/0198c0de-0000-7000-8000-000000000000")
    await page.fill("#username", name)
    await page.fill("#password", "a long password")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Not found")
    await page.goto("/")
    assert await page.locator("#content").count() == 1, "the pages know who that is"
    for storage in ("localStorage", "sessionStorage"):
        kept = await page.evaluate(f"JSON.stringify({storage})")
        assert "eyJ" not in kept, "no token is stored"


async def test_where_an_answer_failed_another_model_can_be_asked(alice: Page) -> None:
    await ask(alice, "Tea? [[fault=status:401]]")
    failure = alice.locator(".failure")
    await expect(failure).to_contain_text("refused the key")
    await failure.get_by_role("button", name="Another model").click()
    await alice.get_by_role("menuitem", name="Another answer by thinker:latest").click()
    await expect(alice.locator(".by")).to_have_text("thinker:latest")
