"""One conversation open in several places: what is done in one shows in the others."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.model_server import answer_for

pytestmark = pytest.mark.browser

QUESTION = "Tea? [[tokens=5]]"
FACES = pytest.mark.parametrize("face", ["", "/app"], ids=["pages", "application"])


async def ask(page: Page, text: str) -> None:
    await page.fill("#content", text)
    await page.keyboard.press("Enter")


def answer_to(question: str) -> str:
    return "".join(answer_for(question)).strip()


async def open_also(page: Page, address: str) -> Page:
    other = await page.context.new_page()
    await other.goto(address)
    await other.wait_for_selector("#content")
    return other


def path_of(page: Page) -> str:
    """Of the conversation, on either face."""
    return "/c/" + page.url.split("/c/")[1]


@FACES
async def test_a_question_asked_in_one_window_is_answered_in_both(alice: Page, face: str) -> None:
    await alice.goto("/")
    await ask(alice, QUESTION)
    await expect(alice.locator(".from-assistant")).to_contain_text(answer_to(QUESTION))
    other = await open_also(alice, face + path_of(alice))
    await other.fill("#content", "half a thought")
    again = "And coffee? [[tokens=40 rate=40 first=100]]"
    await ask(alice, again)
    await expect(other.locator(".from-user")).to_have_count(2)
    await expect(other.locator(".from-assistant").last).to_contain_text(answer_to(again))
    await expect(alice.locator(".from-assistant").last).to_contain_text(answer_to(again))
    await expect(other.locator("#content")).to_have_value("half a thought")


@FACES
async def test_both_faces_show_what_the_other_is_asked(alice: Page, face: str) -> None:
    await alice.goto(f"{face}/")
    await ask(alice, QUESTION)
    await expect(alice.locator(".from-assistant")).to_contain_text(answer_to(QUESTION))
    other = await open_also(alice, ("" if face else "/app") + path_of(alice))
    for page, there, number in ((other, alice, 2), (alice, other, 3)):
        await ask(page, f"Question {number} [[tokens=5]]")
        await expect(there.locator(".from-user")).to_have_count(number)
        await expect(there.locator(".from-user").last).to_contain_text(f"Question {number}")
        for each in (page, there):
            await expect(each.locator(".from-assistant .tools")).to_have_count(number)


@FACES
async def test_lists_and_titles_follow(alice: Page, face: str) -> None:
    await alice.goto("/")
    await ask(alice, QUESTION)
    await expect(alice.locator(".from-assistant .tools")).to_have_count(1)
    path = path_of(alice)
    other = await open_also(alice, face + path)
    answer = await alice.request.patch(f"/api/v1{path.replace('/c/', '/conversations/')}", data={"title": "x"})
    assert answer.status == 401, "cookies alone open no API"
    await alice.keyboard.press("F2")
    await alice.fill("#heading input:not([type=hidden])", "Tea of the north")
    await alice.keyboard.press("Enter")
    await expect(other.locator(".bar h1, .bar .bar-title").first).to_contain_text("Tea of the north")
    await expect(other.locator(".conversations a").first).to_contain_text("Tea of the north")
    assert "Tea of the north" in await other.title()
    third = await open_also(alice, "/")
    await ask(third, "Slow [[tokens=40 rate=20]]")
    await expect(other.locator(".conversations .running")).to_have_count(1)
    await expect(other.locator(".conversations li a[href]:not(.more)")).to_have_count(2)
    await expect(other.locator(".conversations .running")).to_have_count(0)


@FACES
async def test_a_conversation_that_is_deleted_elsewhere_says_so(alice: Page, face: str) -> None:
    await alice.goto("/")
    await ask(alice, QUESTION)
    await expect(alice.locator(".from-assistant .tools")).to_have_count(1)
    other = await open_also(alice, face + path_of(alice))
    await alice.click("#heading .more")
    await alice.click("#conversation-menu >> text=Delete")
    await expect(other.locator("body")).to_contain_text("This conversation was deleted")
    await expect(other.locator(".conversations .row, .conversations li[id]")).to_have_count(0)


@FACES
async def test_nobody_answers_below_what_they_have_not_read(open_page: OpenPage, face: str) -> None:
    """Where a proxy lets nothing live through, the next best: say it before the message is sent."""
    page = await open_page(allowed=("status of 409", "ERR_FAILED", "ERR_ABORTED"))
    await register(page)
    await page.goto("/")
    await ask(page, QUESTION)
    await expect(page.locator(".from-assistant .tools")).to_have_count(1)
    other = await page.context.new_page()
    await other.route(re.compile(r"^https?://[^/]+(/api/v1)?/events\b"), lambda route: route.abort())
    await other.goto(face + path_of(page))
    await other.wait_for_selector("#content")
    await ask(page, "Newer [[tokens=5]]")
    await expect(page.locator(".from-assistant .tools")).to_have_count(2)
    await ask(other, "My question [[tokens=5]]")
    await expect(other.locator("#composer-error")).to_contain_text("2 newer messages")
    await expect(other.locator("#content")).to_have_value("My question [[tokens=5]]")
    await expect(other.locator(".from-user")).to_have_count(2)
    await expect(other.locator(".from-user").last).to_contain_text("Newer")
    await other.focus("#content")
    await other.keyboard.press("Enter")
    await expect(other.locator(".from-user")).to_have_count(3)
    await expect(other.locator(".from-assistant .tools")).to_have_count(3)


async def test_an_edit_and_what_was_read_further_up_stay(alice: Page) -> None:
    await alice.goto("/")
    await ask(alice, QUESTION)
    await expect(alice.locator(".from-assistant .tools")).to_have_count(1)
    other = await open_also(alice, path_of(alice))
    await other.hover(".from-user")
    await other.click(".from-user [href$='/edit']")
    await other.fill("form.edit textarea", "another wording")
    await ask(alice, "Next [[tokens=5]]")
    await expect(other.locator(".from-assistant .tools")).to_have_count(2)
    await expect(other.locator("form.edit textarea")).to_have_value("another wording")
