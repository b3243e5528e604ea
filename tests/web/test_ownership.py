"""Every page, fragment and form with ids of another: as a stranger, as nobody, as administrator. (A14, A16, A23)"""

import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from app.accounts.models import User
from app.clock import utcnow
from tests.api.serving import Served
from tests.web.belongings import belongings_of, kept
from tests.web.routes import NOUNS, PUBLIC, SOUND, PageRoute, page_routes
from tests.web.visitor import MISSING, Visitor, htmx, token_in, visitor, without_tokens

ROUTES = page_routes()
# Ids that are not in a path: the parameter or field, and the noun it names.
INNER = {
    ("/", "older"): "conversation_id",
    ("/conversations", "older"): "conversation_id",
    ("/conversations", "current"): "conversation_id",
    ("/archived", "older"): "conversation_id",
    ("/c/{conversation_id}", "before"): "message_id",
    ("/c/{conversation_id}", "message"): "message_id",
}
# Plain numbers, positions and text.
NOT_IDS = {"after", "seen", "still", "whole", "count", "format", "q"}
NEW_EACH_TIME = ("x-request-id", "date", "set-cookie", "content-length")  # a model that was unloaded has fewer letters
NOTHING = dict.fromkeys(NOUNS, MISSING)
FORMS = [None, "chat"]  # as a page, and as htmx asks for a part of it


@pytest.fixture
async def hers(served: Served, alice: Visitor) -> dict[str, str]:
    return await belongings_of(served, alice)


@pytest.fixture
async def his(served: Served, charlie: Visitor) -> dict[str, str]:
    return await belongings_of(served, charlie)


@pytest.fixture
async def dana(served: Served) -> AsyncIterator[Visitor]:
    """Administers."""
    async with await visitor(served, "dana", role="admin") as dana:
        yield dana


async def ask(
    client: httpx.AsyncClient, route: PageRoute, path: str, token: str, target: str | None = None, **more: str
) -> httpx.Response:
    query = {**route.asked, **{name: value for name, value in more.items() if name in route.query}}
    headers = {**htmx(target), "Accept-Encoding": "identity"}
    if route.method == "GET":
        return await client.get(path, params=query, headers=headers)
    form = {**route.body, "csrf_token": token, **{name: value for name, value in more.items() if name in route.fields}}
    return await client.request(route.method, path, params=query, data=form, headers=headers)


def plain(answer: httpx.Response, ids: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """Byte for byte, but for the request's own id, the ids that were asked for, and what is new in each drawing."""
    headers = {n: _plain(v, ids) for n, v in answer.headers.items() if n not in NEW_EACH_TIME}
    text = answer.text.replace(answer.headers["x-request-id"], "-")
    return answer.status_code, _plain(text, ids), headers


def _plain(text: str, ids: dict[str, str]) -> str:
    for value in ids.values():
        text = text.replace(value, "*")
    return without_tokens(text)


def test_the_sweep_knows_every_id_of_every_route() -> None:
    assert len(ROUTES) >= 20, "a test that passes for nothing"
    for route in ROUTES:
        unknown = set(route.names) - NOUNS - set(SOUND)
        assert not unknown, f"{route}: teach the sweep what {unknown} names (tests/web/routes.py)"
        unsound = route.fields - set(SOUND)
        assert not unsound, f"{route}: teach the sweep a sound value for {unsound} (tests/web/routes.py)"
        # Whoever administers may see everybody's accounts and jobs; nobody else gets that far.
        for name in () if route.is_admin else route.query | route.fields:
            known = name in NOT_IDS or name in SOUND or (route.path, name) in INNER
            assert known, f"{route}: teach the sweep whether {name} is an id (tests/web/test_ownership.py)"


async def test_A14_what_is_anothers_is_not_there(
    served: Served, charlie: Visitor, hers: dict[str, str], his: dict[str, str]
) -> None:
    token, before, swept = await charlie.token(), await kept(served, hers), 0
    for route, target in itertools.product(ROUTES, FORMS):
        # With several ids in a path each of them alone is another's, too.
        for mine in itertools.product([False, True], repeat=len(route.ids)):
            if all(mine):
                continue
            own = {noun: his[noun] for noun, is_own in zip(route.ids, mine, strict=True) if is_own}
            theirs = await ask(charlie.client, route, route.filled({**hers, **own}), token, target)
            nothing = await ask(charlie.client, route, route.filled({**NOTHING, **own}), token, target)
            assert theirs.status_code == (403 if route.is_admin else 404), (str(route), theirs.text)
            assert plain(theirs, {**hers, **own}) == plain(nothing, {**NOTHING, **own}), str(route)
            assert "alice" not in theirs.text.casefold(), str(route)
            swept += 1
    assert swept >= 30
    assert await kept(served, hers) == before, "and it is as it was"


async def test_the_ids_of_the_sweep_are_real(alice: Visitor, hers: dict[str, str]) -> None:
    for route in ROUTES:
        if route.method == "GET" and route.ids and not route.is_admin:
            answer = await ask(alice.client, route, route.filled(hers), "")
            assert answer.status_code in (200, 303), (str(route), answer.text)


async def test_A14_nobody_is_sent_to_sign_in(served: Served, nobody: httpx.AsyncClient, hers: dict[str, str]) -> None:
    token, before = token_in((await nobody.get("/login")).text), await kept(served, hers)
    for route, target in itertools.product(ROUTES, FORMS):
        if route.path in PUBLIC:
            continue
        theirs = await ask(nobody, route, route.filled(hers), token, target)
        nothing = await ask(nobody, route, route.filled(NOTHING), token, target)
        assert plain(theirs, hers) == plain(nothing, NOTHING), str(route)
        if target is None:
            assert theirs.status_code == 303, (str(route), theirs.text)
            there = theirs.headers["location"]
        else:
            assert theirs.status_code == 401, (str(route), theirs.text)
            there = theirs.headers["hx-redirect"]
        assert there.split("?")[0] == "/login", (str(route), there)
    assert await kept(served, hers) == before


async def test_A14_administrators_read_nobodys_chats(served: Served, dana: Visitor, hers: dict[str, str]) -> None:
    token, before = await dana.token(), await kept(served, hers)
    for route, target in itertools.product(ROUTES, FORMS):
        if route.ids and not route.is_admin:
            theirs = await ask(dana.client, route, route.filled(hers), token, target)
            nothing = await ask(dana.client, route, route.filled(NOTHING), token, target)
            assert theirs.status_code == 404, (str(route), theirs.text)
            assert plain(theirs, hers) == plain(nothing, NOTHING), str(route)
    assert await kept(served, hers) == before


async def test_A23_members_are_403_on_administration(served: Served, charlie: Visitor, hers: dict[str, str]) -> None:
    token, before = await charlie.token(), await kept(served, hers)
    for route, target in itertools.product(ROUTES, FORMS):
        if route.is_admin:
            answer = await ask(charlie.client, route, route.filled(hers), token, target)
            assert answer.status_code == 403, (str(route), answer.text)
    assert await kept(served, hers) == before


async def test_A16_an_inner_id_of_anothers_is_as_unknown_as_a_missing_one(
    served: Served, charlie: Visitor, hers: dict[str, str], his: dict[str, str]
) -> None:
    token, before, swept = await charlie.token(), await kept(served, hers), set()
    for route, target in itertools.product(ROUTES, FORMS):
        for (path, name), noun in INNER.items():
            if path != route.path or name not in route.query | route.fields:
                continue
            answers: list[Any] = []
            for ids in (hers, NOTHING):
                answer = await ask(charlie.client, route, route.filled(his), token, target, **{name: ids[noun]})
                assert answer.status_code in (200, 303, 404, 422), (str(route), name, answer.text)
                assert "alice" not in answer.text.casefold(), (str(route), name)
                answers.append(plain(answer, {noun: ids[noun]}))
            assert answers[0] == answers[1], (str(route), name)
            swept.add((path, name))
    assert swept == set(INNER)
    assert await kept(served, hers) == before


async def test_A24_who_was_disabled_meanwhile_is_sent_away(served: Served, hers: dict[str, str]) -> None:
    async with await visitor(served, "left") as left:
        token = await left.token()

        async def disable() -> None:
            async with served.services.database.transaction() as session:
                await session.execute(update(User).where(User.username == left.name).values(disabled_at=utcnow()))

        await served.run(disable)
        for route in ROUTES:
            if route.path not in PUBLIC:
                answer = await ask(left.client, route, route.filled(hers), token)
                expected = 303 if route.method == "GET" else 403 if route.path == "/logout" else 401
                assert answer.status_code == expected, (str(route), answer.text)
