"""Every state that can be seen, in English."""

import pytest

from tests.browser.audit import audit
from tests.browser.screens import SCREENS
from tests.browser.stage import Scene
from tests.effort import IS_CAMPAIGN

pytestmark = [pytest.mark.browser, pytest.mark.campaign]


ELSEWHERE = list(SCREENS) if IS_CAMPAIGN else list(SCREENS)[::3]


@pytest.mark.parametrize("name", SCREENS)
async def test_a_state_shuts_nobody_out(stage: dict[str, Scene], name: str) -> None:
    await audit(stage["en"], name, thoroughly=True, elsewhere=name in ELSEWHERE)
