"""Every route that changes something asks for the token of this very session."""

import httpx

from tests.api.serving import Served
from tests.web.belongings import belongings_of, kept
from tests.web.routes import PUBLIC, PageRoute, page_routes
from tests.web.visitor import Visitor, token_in

ROUTES = page_routes()
UNSAFE = [route for route in ROUTES if route.method not in ("GET", "HEAD")]


def test_there_are_such_routes_and_they_are_all_posts() -> None:
    assert len(UNSAFE) >= 11
    assert {route.method for route in ROUTES} == {"GET", "POST"}


async def test_without_the_right_token_nothing_happens(
    served: Served, alice: Visitor, charlie: Visitor, nobody: httpx.AsyncClient
) -> None:
    hers = await belongings_of(served, alice)
    strange = [await charlie.token(), token_in((await nobody.get("/login")).text)]
    good, before = await alice.token(), await kept(served, hers)
    for route in UNSAFE:
        answers = await refused(alice.client, route, route.filled(hers), good, strange)
        assert answers == [403] * len(answers), str(route)
    assert await kept(served, hers) == before
    assert (await alice.get("/")).status_code == 200, "nobody was signed out"


async def test_nobodys_form_has_a_token_too(nobody: httpx.AsyncClient, alice: Visitor) -> None:
    good, strange = token_in((await nobody.get("/login")).text), [await alice.token()]
    for route in UNSAFE:
        if route.path in PUBLIC:
            answers = await refused(nobody, route, route.path, good, strange)
            assert answers == [403] * len(answers), str(route)


async def refused(client: httpx.AsyncClient, route: PageRoute, path: str, good: str, strange: list[str]) -> list[int]:
    """The statuses of every wrong way to send it."""
    body = {**route.body}
    body.pop("csrf_token", None)
    right = {**body, "csrf_token": good}
    answers = [
        await client.post(path, data=body),
        await client.post(path, data={**body, "csrf_token": ""}),
        *[await client.post(path, data={**body, "csrf_token": token}) for token in strange],
        *[await client.post(path, data=body, headers={**HTMX, "X-CSRF-Token": token}) for token in strange],
        await client.post(path, params={"csrf_token": good}, data=body),
        await client.post(path, data=right, headers={"Origin": "https://evil.example"}),
        await client.post(path, data=right, headers={"Origin": "null"}),
        await client.post(path, data=right, headers={"Sec-Fetch-Site": "cross-site"}),
        await client.post(path, json=right),
    ]
    return [answer.status_code for answer in answers]


HTMX = {"HX-Request": "true"}


async def test_the_header_of_htmx_counts_as_the_field(alice: Visitor) -> None:
    path = await alice.answered()
    headers = {"X-CSRF-Token": await alice.token(), "HX-Request": "true"}
    answer = await alice.client.post(f"{path}/messages", data={"content": "Hi [[tokens=1]]"}, headers=headers)
    assert answer.status_code == 202
