"""What goes wrong while a request is answered: a failed commit, a full disk, an input from hell. (I6, F17, A52–A55)"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pysqlite3
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.lookup import SqliteLookup
from tests.api.answers import is_problem
from tests.api.people import Person, person
from tests.api.rows import row_counts
from tests.api.serving import Served, serving


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[tuple[Served, Person]]:
    """A server that may be broken, and Alice, the administrator there."""
    with serving(tmp_path / "data", log_level="ERROR") as served:
        alice = await person(served, "alice")
        async with alice.client:
            yield served, alice


@asynccontextmanager
async def failing_commits(served: Served, code: str) -> AsyncIterator[None]:
    """As the disk, or another process, makes a COMMIT of a session fail."""
    database = served.services.database
    assert database._shared is not None
    engines = (database.writer.sync_engine, database._shared._engine)

    def refuse(_: Any) -> None:
        error = pysqlite3.OperationalError("provoked")
        error.sqlite_errorname = code
        raise OperationalError("COMMIT", {}, error)

    for engine in engines:
        event.listen(engine, "commit", refuse)
    try:
        yield
    finally:
        for engine in engines:
            event.remove(engine, "commit", refuse)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("SQLITE_FULL", 507, "storage_full"),
        ("SQLITE_IOERR", 503, "database_unavailable"),
        ("SQLITE_BUSY", 503, "database_unavailable"),
    ],
)
async def test_I6_a_commit_that_fails_is_no_202_and_leaves_nothing(
    own: tuple[Served, Person], code: str, status: int, kind: str
) -> None:
    served, alice = own
    conversation_id = await alice.conversation(title="Named, so that no title's job comes in between")
    done = await alice.answered(conversation_id)
    before = await row_counts(served.services.database)
    reply, question = done["assistant_message"]["id"], done["user_message"]["id"]
    body = {"content": "lost?"}
    async with failing_commits(served, code):
        for number, (path, content) in enumerate(
            [
                (f"conversations/{conversation_id}/messages", body),
                (f"messages/{question}/edit", body),
                (f"messages/{reply}/regenerate", {}),
                ("conversations", {}),
                ("auth/api-keys", {"name": "k"}),
            ]
        ):
            headers = {"Idempotency-Key": f"k{number}"}
            answer = await alice.client.post(f"/api/v1/{path}", json=content, headers=headers)
            assert is_problem(answer, status, kind), path
            assert int(answer.headers["retry-after"]) >= 1
        for method, path in (("DELETE", f"conversations/{conversation_id}"), ("DELETE", f"messages/{reply}")):
            assert is_problem(await alice.client.request(method, f"/api/v1/{path}"), status, kind), path
        assert (await alice.client.get(f"/api/v1/messages/{reply}")).status_code == 200, "reading goes on"
    after = await row_counts(served.services.database)
    assert after == before
    again = await alice.client.post(
        f"/api/v1/conversations/{conversation_id}/messages", json=body, headers={"Idempotency-Key": "k0"}
    )
    assert again.status_code == 202 and "idempotency-replayed" not in again.headers
    await alice.ended(again.json()["job"]["id"])


@pytest.mark.sqlite
async def test_F17_a_full_disk_is_507_and_works_again_without_a_restart(own: tuple[Served, Person]) -> None:
    served, alice = own
    conversation_id = await alice.conversation()

    async def pages(limit: str) -> int:
        async def limited(session: AsyncSession) -> int:
            return int(await session.scalar(text(f"PRAGMA max_page_count = {limit}")) or 0)

        return await served.services.database.in_shared_transaction(limited)

    count = await served.run(lambda: served.services.database.lookup.first("PRAGMA page_count", {}))
    assert count is not None
    await served.run(lambda: pages(str(count[0])))
    path = f"/api/v1/conversations/{conversation_id}/messages"
    before = await row_counts(served.services.database)
    answers = [await alice.client.post(path, json={"content": "x" * 90_000}) for _ in range(3)]
    for answer in answers:
        assert is_problem(answer, 507, "storage_full") and answer.headers["retry-after"]
    assert await row_counts(served.services.database) == before
    assert (await alice.client.get(path)).json()["items"] == []
    await served.run(lambda: pages("1073741823"))
    assert (await alice.client.post(path, json={"content": "small [[tokens=1]]"})).status_code == 202


@pytest.mark.sqlite
async def test_F18_a_database_that_cannot_be_read_is_503_and_works_again(own: tuple[Served, Person]) -> None:
    served, alice = own
    lookup = cast(SqliteLookup, served.services.database.lookup)
    assert (await alice.client.get("/api/v1/auth/me")).status_code == 200
    broken = pysqlite3.connect(":memory:", check_same_thread=False)
    good, lookup._connection = lookup._connection, broken
    for path in ("auth/me", "conversations"):
        answer = await alice.client.get(f"/api/v1/{path}")
        expected = 503 if path == "auth/me" else 200
        assert answer.status_code == expected, answer.text
        assert expected == 200 or is_problem(answer, 503, "database_unavailable")
    good.close()


BAD_JSON: list[tuple[bytes, int]] = [
    (b"", 422),
    (b"{", 400),
    (b"null", 422),
    (b"[]", 422),
    (b'"text"', 422),
    (b'{"content": NaN}', 400),
    (b'{"content": 1e999}', 400),
    (b'{"content": "x", "content": "y"}', 400),
    (b'{"content": "\\ud800"}', 422),
    (b'{"content": "\\u0000"}', 422),
    (b'{"content": "\xff"}', 400),
    (b"\xef\xbb\xbf" + b'{"content": "x"}', 400),
    ('{"content": "x"}'.encode("utf-16"), 400),
    (b'{"content": ' + b"9" * 5000 + b"}", 400),
    (b"[" * 100_000, 400),
    (b'{"a":' * 1000 + b"1" + b"}" * 1000, 400),
    (json.dumps({f"k{n}": n for n in range(60_000)}).encode(), 400),
]


@pytest.mark.parametrize(("body", "status"), BAD_JSON, ids=lambda value: repr(value)[:24])
async def test_A53_no_body_is_a_stack_trace(alice: Person, body: bytes, status: int) -> None:
    path = f"/api/v1/conversations/{await alice.conversation()}/messages"
    answer = await alice.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 4000
    assert (await alice.client.get(path)).json()["items"] == []


async def test_A52_A54_A55_what_is_too_much_or_packed_is_refused_before_it_is_read(alice: Person) -> None:
    path = f"/api/v1/conversations/{await alice.conversation()}/messages"
    as_json = {"Content-Type": "application/json"}
    packed = {**as_json, "Content-Encoding": "gzip"}
    assert is_problem(await alice.client.post(path, content=b"x", headers=packed), 415, "unsupported_media_type")
    form = "&".join(f"f{n}=x" for n in range(2000))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await alice.client.post("/api/v1/auth/login", content=form, headers=headers)).status_code in (400, 422)
    many = [("X-Filler", "x" * 500)] * 60
    assert is_problem(await alice.client.get(path, headers=many), 431, "headers_too_large")
    assert (await alice.client.get(f"{path}?limit={'1' * 9000}")).status_code == 414
    assert is_problem(await alice.client.get(path, headers={"Host": "evil.example"}), 400, "bad_host")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
async def test_A42_a_strange_method_changes_nothing(alice: Person, served: Served, method: str) -> None:
    path = f"/api/v1/conversations/{await alice.conversation()}"
    try:
        answer = await alice.client.request(method, path)
    except httpx.RemoteProtocolError:
        answer = None
    assert answer is None or answer.status_code in (400, 405)
    assert (await alice.client.get(path)).status_code == 200
