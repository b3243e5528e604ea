"""Every page opens on every database: what its queries mean is tested where they are."""

import pytest

from tests.api.serving import Served
from tests.web.belongings import belongings_of
from tests.web.routes import page_routes
from tests.web.visitor import Visitor, htmx

pytestmark = pytest.mark.both_databases

PAGES = [route for route in page_routes() if route.method == "GET"]


@pytest.mark.parametrize("target", [None, "chat"], ids=["page", "fragment"])
async def test_every_page_opens(served: Served, dana: Visitor, target: str | None) -> None:
    ids = await belongings_of(served, dana)
    answers = {}
    for route in PAGES:
        answer = await dana.client.get(route.filled(ids), params=route.asked, headers=htmx(target))
        answers[str(route)] = answer.status_code
    assert len(answers) >= 20, "a test that passes for nothing"
    assert {page: status for page, status in answers.items() if status not in (200, 204, 303)} == {}
