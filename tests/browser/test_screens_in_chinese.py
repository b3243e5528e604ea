"""States that can be seen, in Chinese: a third of them, and before a release every one."""

import pytest

from tests.browser.audit import audit
from tests.browser.screens import SCREENS
from tests.browser.stage import Scene
from tests.effort import IS_CAMPAIGN

pytestmark = [pytest.mark.browser, pytest.mark.campaign]


@pytest.mark.parametrize("name", list(SCREENS) if IS_CAMPAIGN else list(SCREENS)[::3])
async def test_a_state_shuts_nobody_out(stage: dict[str, Scene], name: str) -> None:
    await audit(stage["zh-CN"], name, thoroughly=IS_CAMPAIGN)
