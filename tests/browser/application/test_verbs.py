"""What is done to a conversation and to a message, in the application."""

import json
import re
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.application.conftest import OpenApplication, ask, watch_to_end
from tests.browser.test_answer import COPIED
from tests.browser.test_chat import expected_of
from tests.model_server import thinking_for

pytestmark = pytest.mark.browser

SHORT = "Tea? [[tokens=5]]"


@pytest_asyncio.fixture(loop_scope="session")
async def asked(alice: Page) -> Page:
    """A conversation with an answer."""
    await ask(alice, SHORT)
    await watch_to_end(alice, expected_of(SHORT))
    return alice


async def choose(page: Page, opener: str, what: str) -> None:
    await page.locator(opener).last.click()
    await page.locator(".menu-panel").get_by_text(what, exact=True).click()


async def test_thinking_is_shown_once_however_late_one_comes(alice: Page) -> None:
    prompt = "Think [[think=20 tokens=60 rate=20]]"
    await ask(alice, prompt)
    await expect(alice.locator(".thinking")).to_be_attached()
    await alice.reload()
    await alice.click(".thinking summary")
    await watch_to_end(alice, expected_of(prompt))
    assert await alice.inner_text(".thought") == "".join(thinking_for(prompt)).strip()


async def test_it_is_pinned_archived_and_found_again(asked: Page) -> None:
    await choose(asked, ".bar [aria-haspopup=menu]", "Pin")
    await expect(asked.locator(".conversations .heading").first).to_have_text("Pinned")
    await choose(asked, ".bar [aria-haspopup=menu]", "Archive")
    await expect(asked.locator(".conversations .row")).to_have_count(0)
    await asked.click(".account-menu")
    await asked.click("text=Archived conversations")
    await asked.click(".archived-list button")
    await expect(asked.locator(".conversations .row")).to_have_count(1)
    await expect(asked.locator(".archived-list")).to_have_count(0)


async def test_it_is_downloaded_in_both_formats(asked: Page) -> None:
    for label, ending in (("Download as Markdown", ".md"), ("Download as JSON", ".json")):
        async with asked.expect_download() as downloading:
            await choose(asked, ".bar [aria-haspopup=menu]", label)
        download = await downloading.value
        assert download.suggested_filename.endswith(ending)
        text = Path(await download.path()).read_text()
        assert "Tea?" in text
        if ending == ".json":
            assert len(json.loads(text)["messages"]) == 2


async def test_a_deletion_can_be_undone(asked: Page) -> None:
    await choose(asked, ".bar [aria-haspopup=menu]", "Delete")
    await expect(asked.locator(".conversations .row")).to_have_count(0)
    await asked.click(".notice >> text=Undo")
    await expect(asked.locator(".conversations .row")).to_have_count(1)


async def test_a_deletion_is_carried_out_at_the_sign_out(asked: Page) -> None:
    await choose(asked, ".bar [aria-haspopup=menu]", "Delete")
    await expect(asked.locator(".conversations .row")).to_have_count(0)
    async with asked.expect_response(lambda response: response.request.method == "DELETE") as deletion:
        await asked.click(".account-menu")
        await asked.click(".menu-panel >> text=Sign out")
        await asked.wait_for_url("**/app/login*")
    assert (await deletion.value).status == 204


async def test_its_settings_are_kept_and_bad_ones_are_told(open_application: OpenApplication) -> None:
    page = await open_application(allowed=("status of 422",))
    await ask(page, SHORT)
    await watch_to_end(page, expected_of(SHORT))
    await page.click(".options summary")
    await page.get_by_label("System prompt").fill("Be brief.")
    await page.get_by_label("Temperature").fill("hot")
    await page.click(".options button[type=submit]")
    await expect(page.locator(".options .field-error")).to_be_visible()
    await page.get_by_label("Temperature").fill("0,5")
    await page.click(".options button[type=submit]")
    await expect(page.locator(".options .hint[role=status]")).to_have_text("Saved.")
    await page.reload()
    await page.click(".options summary")
    await expect(page.get_by_label("System prompt")).to_have_value("Be brief.")
    await expect(page.get_by_label("Temperature")).to_have_value("0.5")


async def test_another_model_answers_too(asked: Page) -> None:
    await asked.locator(".from-assistant .tools [aria-haspopup=menu]").last.click()
    other = asked.locator(".menu-panel").get_by_text(re.compile("^Another answer by "))
    assert await other.count() >= 1
    await other.first.click()
    await expect(asked.locator(".branches .number")).to_have_text("2 of 2")


async def test_deleting_a_message_says_what_is_lost_first(asked: Page) -> None:
    await choose(asked, ".from-user .tools [aria-haspopup=menu]", "Delete from here on")
    await expect(asked.locator(".dialog")).to_contain_text("This cannot be undone.")
    await asked.click(".dialog >> text=Keep it")
    await expect(asked.locator(".message")).to_have_count(2)
    await choose(asked, ".from-user .tools [aria-haspopup=menu]", "Delete from here on")
    await asked.click(".dialog .danger")
    await expect(asked.locator(".message")).to_have_count(0)


async def test_an_address_leads_to_a_message(asked: Page) -> None:
    identity = str(await asked.locator(".message").first.get_attribute("id"))
    await asked.goto(f"{asked.url}#{identity}")
    await asked.reload()
    await expect(asked.locator(f"#{identity}")).to_be_in_viewport()


async def test_code_can_be_copied(alice: Page) -> None:
    await alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    prompt = "Code [[tokens=120 text=markdown]]"
    await ask(alice, prompt)
    await watch_to_end(alice, expected_of(prompt))
    await alice.click(".from-assistant .tools [aria-label='Copy']")
    await expect(alice.locator(".notice").last).to_contain_text("Copied")
    assert "<strong>leaf</strong>" in await alice.evaluate(COPIED)
    code = alice.locator(".code").first
    await code.get_by_text("Copy", exact=True).click()
    copied = await alice.evaluate("navigator.clipboard.readText()")
    assert copied == await code.locator("pre").text_content()


async def test_the_keys_and_the_palette_go_everywhere(asked: Page) -> None:
    await asked.keyboard.press("F2")
    await expect(asked.locator(".rename input")).to_be_focused()
    await asked.keyboard.type("Oolong")
    await asked.keyboard.press("Enter")
    await expect(asked.locator("h1.bar-title")).to_have_text("Oolong")


async def test_who_does_not_want_to_wait_tries_now(alice: Page) -> None:
    prompt = "Busy? [[tokens=5 fault=status:429:200 times=1]]"
    await ask(alice, prompt)
    await expect(alice.locator(".trouble")).to_contain_text("The model server is busy.")
    await expect(alice.locator(".trouble")).to_contain_text("It is tried again in")
    await alice.click("text=Try now")
    await watch_to_end(alice, expected_of(prompt))
    await expect(alice.locator(".trouble")).to_have_count(0)
