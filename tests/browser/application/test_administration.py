"""What administrators do in the application: invitations, who may sign up, models, everybody's jobs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.application.conftest import ask, watch_to_end
from tests.browser.chromium import OpenPage
from tests.browser.servers import LiveServer, model_process, teahouse_process
from tests.browser.test_admin import administrator
from tests.browser.test_chat import expected_of

pytestmark = pytest.mark.browser

SHORT = "Tea? [[tokens=5]]"


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of these tests alone: who registers first administers it."""
    data_dir: Path = tmp_path_factory.mktemp("administered-in-the-application") / "data"
    with model_process() as model_url, teahouse_process(data_dir, model_url) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def dana(open_page: OpenPage, live_server: LiveServer) -> Page:
    return await administrator(await open_page())


async def test_somebody_is_invited_by_a_label_and_not_any_more(dana: Page) -> None:
    await dana.goto("/app/admin/invites")
    await dana.get_by_label("For whom").fill("Erin, reading room")
    await dana.keyboard.press("Enter")
    link = await dana.locator(".secret code").inner_text()
    assert "/register?invite=thi_" in link
    row = dana.get_by_role("row", name="Erin, reading room")
    await expect(row).to_have_count(1)
    await dana.reload()
    await expect(row).to_have_count(1)
    await expect(dana.locator(".secret")).to_have_count(0)
    await row.get_by_role("button", name="Take back the invitation for Erin, reading room").click()
    await expect(row).to_have_count(0)


async def test_who_may_sign_up_is_chosen_by_keys(dana: Page) -> None:
    await dana.goto("/app/admin")
    choice = dana.get_by_role("radiogroup", name="Who may sign up")
    await expect(choice.get_by_role("radio", name="Everybody")).to_be_checked()
    await choice.get_by_role("radio", name="Everybody").focus()
    await dana.keyboard.press("ArrowRight")
    await expect(dana.get_by_role("alert")).to_contain_text("Saved.")
    await dana.reload()
    await expect(choice.get_by_role("radio", name="By invitation")).to_be_checked()
    await choice.get_by_text("Everybody").click()
    await expect(dana.get_by_text("Anyone who can reach this address can make an account.")).to_be_visible()


async def test_a_job_says_whose_it_is_and_by_which_model(dana: Page) -> None:
    await dana.goto("/app/")
    await ask(dana, SHORT)
    await watch_to_end(dana, expected_of(SHORT))
    await dana.goto("/app/admin")
    await dana.locator(".figures a").first.click()
    await dana.get_by_role("tab", name="Jobs").click()
    await expect(dana.get_by_role("row").filter(has_text="Answer").first).to_contain_text("dana")
    await expect(dana.get_by_role("row").filter(has_text="Answer").first).to_contain_text("scripted")


async def test_jobs_are_chosen_by_their_state_with_keys(dana: Page) -> None:
    await dana.goto("/app/admin/jobs")
    state = dana.get_by_role("combobox", name="State")
    await state.focus()
    await dana.keyboard.press("Enter")
    await expect(dana.get_by_role("option", name="Running")).to_be_visible()
    for key in ["ArrowDown"] * 3 + ["Enter"]:  # every state, running, waiting, failed
        await dana.keyboard.press(key)
    await expect(dana.get_by_text("There is nothing of this kind.")).to_be_visible()
    await expect(dana.locator(".choosing")).to_contain_text("Failed")
    await expect(state).to_be_focused()


async def test_a_model_is_looked_at(dana: Page) -> None:
    await dana.goto("/app/admin/models")
    opener = dana.get_by_role("button", name="Details of").first
    await opener.click()
    dialog = dana.get_by_role("dialog")
    await expect(dialog.locator(".facts")).to_contain_text("Parameters")
    await dana.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(opener).to_be_focused()
