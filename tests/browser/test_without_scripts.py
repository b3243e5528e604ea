"""Everything that can be done, with scripts off: real forms, real links, a page after each."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage
from tests.browser.servers import LiveServer, model_process, teahouse_process
from tests.browser.test_admin import administrator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PASSWORD = "a long password"


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of these tests alone: the first to register administers it."""
    data_dir: Path = tmp_path_factory.mktemp("plain") / "data"
    with model_process() as model_url, teahouse_process(data_dir, model_url) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def dana(open_page: OpenPage) -> Page:
    return await administrator(await open_page(scripts=False, allowed=("status of 422",)))


async def press(page: Page, selector: str) -> None:
    """A button or a link, and the page that follows."""
    async with page.expect_navigation():
        await page.locator(selector).last.click()


async def answered(page: Page) -> None:
    """The page renews itself until the answer is there."""
    await expect(page.locator("button.stop")).to_have_count(0, timeout=20_000)


async def begun(page: Page, content: str) -> str:
    await page.goto("/")
    await page.fill("#content", content)
    await press(page, "button.send")
    await answered(page)
    return page.url


async def of_message(page: Page, whose: str, what: str) -> None:
    """One of the pages behind a message's “More”."""
    await press(page, f".{whose} .tools a[href$='/actions']")
    await press(page, f"main a[href$='/{what}']")


async def test_a_conversations_life(dana: Page) -> None:
    page = dana
    there = await begun(page, "How is tea made? [[tokens=5]]")
    await page.fill("#content", "And then? [[tokens=5]]")
    await press(page, "button.send")
    await answered(page)
    await expect(page.locator(".message")).to_have_count(4)

    await press(page, ".from-user .tools a[href$='/edit']")
    await page.fill("main textarea[name=content]", "And before? [[tokens=4]]")
    await press(page, "main form.edit button[type=submit]")
    await answered(page)
    await expect(page.locator(".from-user .branches .number")).to_have_text("2 of 2")
    await press(page, "[aria-label='Previous version']")
    await expect(page.locator(".said").last).to_contain_text("And then?")

    await press(page, "[aria-label='Another answer']")
    await answered(page)
    await expect(page.locator(".from-assistant .branches .number")).to_have_text("2 of 2")
    await of_message(page, "from-assistant", "regenerate")
    await page.select_option("#other-model", "ollama/thinker:latest")
    await press(page, "main .menu-form button[type=submit]")
    await answered(page)
    await expect(page.locator(".from-assistant .branches .number")).to_have_text("3 of 3")
    await of_message(page, "from-assistant", "delete")
    await press(page, "main button.danger")
    await expect(page.locator(".from-assistant .branches .number")).to_have_text("2 of 2")
    assert page.url.startswith(there)


async def test_an_answers_settings_and_its_failure(dana: Page) -> None:
    page = dana
    await begun(page, "Fail once [[fault=not_found times=1 tokens=4]]")
    await expect(page.locator(".failure")).to_be_visible()
    await press(page, ".failure button")
    await answered(page)
    await expect(page.locator(".failure")).to_have_count(0)
    await page.click("#options summary")
    await page.fill("#option-temperature", "hot")
    await press(page, "#options button[type=submit]")
    await expect(page.locator("#option-temperature[aria-invalid]")).to_have_value("hot")
    await page.fill("#option-temperature", "0.5")
    await page.fill("#option-system_prompt", "Be brief.")
    await press(page, "#options button[type=submit]")
    await page.reload()
    await expect(page.locator("#option-temperature")).to_have_value("0.5")
    await expect(page.locator("#option-system_prompt")).to_have_value("Be brief.")


async def test_the_list_and_what_is_done_to_a_conversation(dana: Page) -> None:
    page = dana
    there = await begun(page, "Name me [[tokens=3]]")
    await press(page, "#heading [data-rename]")
    await page.fill("input[name=title]", "Oolong at noon")
    await press(page, "form.rename button[type=submit], main button.primary")
    await expect(page.locator("#heading h1")).to_have_text("Oolong at noon")
    for verb, undone in (("pin", "unpin"), ("unpin", "pin"), ("archive", "unarchive")):
        await page.goto(f"{there}/actions")
        await press(page, f"main form[action$='/{verb}'] button")
        await page.goto(f"{there}/actions")
        await expect(page.locator(f"main form[action$='/{undone}']")).to_have_count(1)
    await page.goto("/archived")
    await press(page, "main form[action$='/unarchive'] button")
    await page.fill("#find", "oolong")
    async with page.expect_navigation():
        await page.press("#find", "Enter")
    await press(page, "main .links a")
    assert page.url == there
    for form, begins in (("markdown", "# Oolong at noon"), ("json", "{")):
        file = await page.request.get(f"{there}/export?format={form}")
        assert file.ok and (await file.text()).startswith(begins), form
    assert json.loads(await file.text())
    await page.goto(f"{there}/actions")
    await press(page, "main button.danger")
    await expect(page.locator("#notice")).to_be_visible()
    await press(page, "#notice button")
    assert page.url == there
    await expect(page.locator("#heading h1")).to_have_text("Oolong at noon")


async def member(page: Page, name: str) -> Page:
    await page.goto("/register")
    await page.fill("#username", name)
    await page.fill("#email", f"{name}@example.org")
    await page.fill("#password", PASSWORD)
    await press(page, "main form button.primary")
    await page.wait_for_url("/")
    return page


async def test_an_accounts_life(dana: Page, open_page: OpenPage, live_server: LiveServer) -> None:
    page, other = await member(await open_page(scripts=False), "plain"), await open_page(scripts=False)
    await page.goto("/settings")
    await page.fill("#email", "other@example.org")
    await press(page, "form[action='/settings/email'] button")
    await expect(page.locator("#email")).to_have_value("other@example.org")
    await page.select_option("select[name=default_model]", "ollama/thinker:latest")
    await press(page, "form[action='/settings/model'] button")
    await expect(page.locator("select[name=default_model]")).to_have_value("ollama/thinker:latest")
    await page.fill("#current_password", PASSWORD)
    await page.fill("#new_password", "another long password")
    await press(page, "form[action='/settings/password'] button")
    await expect(page.locator("#notice")).to_be_visible()

    await page.goto("/settings/keys")
    await page.fill("#name", "backup")
    await press(page, "form[action='/settings/keys'] button")
    await expect(page.locator("#key-secret")).to_contain_text("th_")
    live_server.everybody_signed_in_long_ago()
    await page.goto("/settings/keys")
    await page.fill("#password_for_list", "another long password")
    await press(page, "[formaction$='/revoke']")
    await expect(page.locator("[formaction$='/revoke']")).to_have_count(0)

    await other.goto("/login")
    await other.fill("#username", "plain")
    await other.fill("#password", "another long password")
    await press(other, "form[action='/login'] button")
    await page.goto("/settings/devices")
    await press(page, ".entries button")
    await other.goto("/")
    assert "/login" in other.url

    await page.goto("/settings/delete")
    await page.fill("#password", "another long password")
    await press(page, "main button.danger")
    await page.goto("/")
    assert "/login" in page.url


async def test_administration(dana: Page, open_page: OpenPage) -> None:
    page = dana
    await page.goto("/admin/users/new")
    await page.fill("#username", "mira")
    await page.fill("#email", "mira@example.org")
    await page.fill("#password", PASSWORD)
    await press(page, "form[action='/admin/users'] button")
    await page.goto("/admin/users")
    await press(page, ".entry:has-text('mira') .entry-text a")
    user = page.url
    await press(page, "button[name=role][value=admin]")
    await expect(page.locator("button[name=role][value=admin]")).to_have_attribute("aria-pressed", "true")
    for verb, undone in (("disable", "enable"), ("enable", "disable")):
        await page.goto(user)
        await press(page, f"form[action$='/{verb}'] button")
        await page.goto(user)
        await expect(page.locator(f"form[action$='/{undone}']")).to_have_count(1)
    await page.fill("#password", "one more password")
    await press(page, "form[action$='/password'] button")
    await page.goto(f"{user}/delete")
    await press(page, "main button.danger")
    await expect(page.locator(".entry:has-text('mira')")).to_have_count(0)

    await page.goto("/admin")
    await press(page, "button[name=signup][value=invite]")
    await page.goto("/admin/invites")
    await press(page, "form[action='/admin/invites'] button")
    link = await page.locator("#invite-link").inner_text()
    guest = await open_page(scripts=False)
    await guest.goto(link)
    await expect(guest.locator("#username")).to_be_visible()
    await press(page, "form[action$='/revoke'] button")
    await expect(page.locator("form[action$='/revoke']")).to_have_count(0)
    await page.goto("/admin")
    await press(page, "button[name=signup][value=open]")


async def test_jobs_are_cancelled_and_tried_again(dana: Page, open_page: OpenPage) -> None:
    page = await open_page(scripts=False)
    await administrator(page)
    await page.goto("/")
    await page.fill("#content", "Write on [[tokens=endless rate=5]]")
    await press(page, "button.send")
    await dana.goto("/admin/jobs?status=running&kind=answer")
    await press(dana, "form[action$='/cancel'] button")
    await dana.goto("/admin/jobs?status=cancelled")
    await expect(dana.locator("#jobs .entry").first).to_be_visible()
    await answered(page)
    await expect(page.locator(".cut")).to_be_visible()
    await press(page, ".cut button")
    await press(page, "button.stop")
    await answered(page)
