"""Pages of a named site may use the API, by token alone; pages of others may not."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.people import person
from tests.api.serving import Served, serving
from tests.factories.accounts import PASSWORD

SITE = "https://app.example.org"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("cors") / "data", cors_origins=f"{SITE}/, http://localhost:5173") as running:
        yield running


async def test_a_named_site_may_ask_and_read(shared: Served) -> None:
    alice = await person(shared, "alice")
    async with alice.client as client:
        asked = {
            "Origin": SITE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        }
        preflight = await client.options("/api/v1/conversations", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == SITE
        assert "access-control-allow-credentials" not in preflight.headers
        made = await client.post("/api/v1/conversations", json={}, headers={"Origin": SITE})
        assert (made.status_code, made.headers["access-control-allow-origin"]) == (201, SITE)
        assert "Location" in made.headers["access-control-expose-headers"]
        refused = await client.get("/api/v1/conversations/nothing", headers={"Origin": SITE})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (404, SITE)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example.org", f"{SITE}.evil.example", "null"])
async def test_others_may_not(shared: Served, origin: str) -> None:
    async with httpx.AsyncClient(base_url=shared.url, verify=False) as client:
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        preflight = await client.options("/api/v1/models", headers=asked)
        assert preflight.status_code == 400 and "access-control-allow-origin" not in preflight.headers
        answer = await client.get("/api/v1/models", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers


async def test_no_cookie_is_set_for_it_and_no_page_is_shared(shared: Served) -> None:
    alice = await person(shared, "bob")
    await alice.client.aclose()
    async with httpx.AsyncClient(base_url=shared.url, verify=False) as client:
        form = {"username": alice.name, "password": PASSWORD}
        answer = await client.post("/api/v1/auth/login", data=form, headers={"Origin": SITE})
        assert answer.status_code == 200 and answer.headers.get_list("set-cookie") == []
        page = await client.get("/login", headers={"Origin": SITE})
        assert "access-control-allow-origin" not in page.headers
