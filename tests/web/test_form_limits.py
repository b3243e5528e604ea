"""No field of any form takes more than the API does: refused before it is normalised, hashed or stored. (A58)

The fields are those of the routing table: a new one without a limit fails here.
"""

import unicodedata
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.api.serving import Served
from tests.web.belongings import belongings_of
from tests.web.routes import PUBLIC, page_routes
from tests.web.visitor import Visitor, token_in

# Alternating marks of two classes: to put them in order takes quadratic time. Longer than the longest message, too.
MARKS = "a" + "\u0315\u0300" * 51_000
LONG = {True: MARKS, False: "x" * 102_000}
FIELDS = [
    (route, field)
    for route in page_routes()
    if route.method == "POST"
    for field in sorted(route.fields - {"csrf_token"})
]


@pytest.fixture
def normalised(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long each text was that was put in order meanwhile."""
    lengths: list[int] = []
    normalize = unicodedata.normalize

    def measured(form: Any, unistr: str) -> str:
        lengths.append(len(unistr))
        return normalize(form, unistr)

    monkeypatch.setattr(unicodedata, "normalize", measured)
    return lengths


@pytest.mark.parametrize("marks", [False, True], ids=["letters", "marks"])
async def test_A58_a_field_that_is_too_long_is_refused(
    served: Served, nobody: httpx.AsyncClient, dana: Visitor, normalised: list[int], marks: bool
) -> None:
    ids, before = await belongings_of(served, dana), await stored(served)
    taken = []
    for route, field in FIELDS:
        client = nobody if route.path in PUBLIC else dana.client
        page = await client.get("/login" if route.path in PUBLIC else "/")
        form = {**route.body, "csrf_token": token_in(page.text), field: LONG[marks]}
        answer = await client.post(route.filled(ids), data=form)
        if not 400 <= answer.status_code < 500:
            taken.append((str(route), field, answer.status_code))
    assert taken == []
    assert max(normalised, default=0) <= 256
    assert await stored(served) == before


async def stored(served: Served) -> int:
    """Bytes of everything that forms write to."""
    columns = {
        "users": ("username", "email"),
        "conversations": ("title", "model", "system_prompt"),
        "messages": ("content", "model"),
        "jobs": ("payload",),
        "api_keys": ("name",),
    }
    sums = (
        f"(SELECT coalesce(sum({' + '.join(f'length({name})' for name in names)}), 0) FROM {table})"
        for table, names in columns.items()
    )
    query = f"SELECT {' + '.join(sums)}"

    async def count() -> int:
        async with served.services.database.read() as session:
            return int(await session.scalar(text(query)) or 0)

    found: int = await served.run(count)
    return found
