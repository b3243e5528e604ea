"""What somebody has used, told to themselves and to administrators."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.application.conftest import ask, watch_to_end
from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer, model_process, teahouse_process
from tests.browser.test_chat import expected_of

pytestmark = pytest.mark.browser

ASKED = "Tea? [[tokens=5]]"


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of these tests alone: who registers first administers it. A megabyte a user, tokens without end."""
    data_dir: Path = tmp_path_factory.mktemp("counted") / "data"
    with model_process() as model_url, teahouse_process(data_dir, model_url, max_storage_per_user="1") as server:
        yield server


async def told(page: Page) -> list[str]:
    """The figures below the two headings."""
    await expect(page.locator("#storage")).to_be_visible()
    return [await page.locator(f"section:has(#{name}) p").first.inner_text() for name in ("tokens", "storage")]


async def test_ones_own_are_in_the_settings_and_everybodys_in_the_administration(
    open_page: OpenPage, live_server: LiveServer
) -> None:
    dana = await open_page()
    await register(dana)
    alice = await open_page()
    name = await register(alice)
    await alice.goto("/app/")
    await ask(alice, ASKED)
    await watch_to_end(alice, expected_of(ASKED))
    await alice.goto("/app/settings")
    tokens, storage = await told(alice)
    assert int(tokens) > 5 and storage.strip().endswith("of 1 MB")
    assert int(storage.split()[0]) > len(ASKED)
    await dana.goto("/app/admin/users")
    await dana.get_by_role("button", name=f"Usage of {name}").click()
    assert await told(dana) == [tokens, storage]
    await dana.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(dana.get_by_role("dialog")).to_have_count(0)
