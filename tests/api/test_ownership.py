"""Every operation that takes an id, as a stranger and as nobody: made from the OpenAPI document. (A14–A16)"""

import re
from typing import Any

import httpx
import pytest

from app.api.openapi import operations
from tests.api.people import MISSING, Person
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD

# What a path's id names: where Alice's own one is found in `hers`.
NOUNS = {"conversation_id", "message_id", "job_id", "session_id", "key_id", "user_id", "invite_id"}
# A sound body for each operation that wants one: a refusal must be for the id and nothing else.
BODIES: dict[str, Any] = {
    "sendMessage": {"content": "x"},
    "editMessage": {"content": "x"},
    "regenerateMessage": {},
    "updateConversation": {"title": "x"},
    "updateUser": {"disabled": True},
}
# Ids that stand inside: a parameter or a field to the noun it names, and what a foreign one is answered with.
INNER = {
    ("sendMessage", "parent_id"): "message_id",
    ("sendMessage", "seen_head_id"): "message_id",
    ("updateConversation", "head_id"): "message_id",
    ("listMessages", "before"): "message_id",
}
# No ids of rows: plain numbers, cursors that only bound a query of one's own, and text.
NOT_IDS = {
    "limit", "cursor", "after", "wait", "format", "archived", "status", "kind", "all", "Last-Event-ID",
    "Idempotency-Key", "idempotency_key",
}  # fmt: skip
MODEL_IDS = {("deleteModel", "id"), ("getModelDetails", "id")}
NEED_NOBODY = {"register", "login", "refresh"}


def described(served: Served) -> list[tuple[str, str, dict[str, Any]]]:
    return list(operations(served.app.openapi()))


def path_ids(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def fields_of(served: Served, operation: dict[str, Any]) -> set[str]:
    """The names in an operation's JSON body, those of nested objects too."""
    text = str(operation.get("requestBody", ""))
    found: set[str] = set()
    waiting = re.findall(r"schemas/(\w+)", text)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        schema = served.app.openapi()["components"]["schemas"][name]
        found |= set(schema.get("properties", {}))
        waiting += re.findall(r"schemas/(\w+)", str(schema))
    return found


@pytest.fixture
async def hers(alice: Person, dana: Person) -> dict[str, str]:
    """One of everything that is Alice's."""
    conversation_id = await alice.conversation(title="Alice's own")
    done = await alice.answered(conversation_id, "Alice's secret [[tokens=3]]")
    key = (await alice.client.post("/api/v1/auth/api-keys", json={"name": "alices"})).json()
    session = (await alice.client.get("/api/v1/auth/sessions")).json()["items"][0]
    return {
        "conversation_id": conversation_id,
        "message_id": done["assistant_message"]["id"],
        "job_id": done["job"]["id"],
        "key_id": key["id"],
        "session_id": session["id"],
        "user_id": alice.id,
        "invite_id": alice.id,  # of nobody: only administrators have any
    }


async def ask(client: httpx.AsyncClient, path: str, method: str, operation: dict[str, Any]) -> httpx.Response:
    body = BODIES.get(operation["operationId"])
    return await client.request(method.upper(), path, **({} if body is None else {"json": body}))


def same(one: httpx.Response, other: httpx.Response) -> None:
    """Byte for byte, except for the request's own id."""

    def plain(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
        number = answer.headers["x-request-id"].encode()
        headers = {n: v for n, v in answer.headers.items() if n not in ("x-request-id", "date")}
        return answer.status_code, answer.content.replace(number, b"-"), headers

    assert plain(one) == plain(other)


def filled(path: str, ids: dict[str, str]) -> str:
    for noun in path_ids(path):
        path = path.replace(f"{{{noun}}}", ids[noun])
    return path


def test_A14_the_sweep_knows_every_id_of_every_operation(served: Served) -> None:
    found = described(served)
    assert len(found) > 25, "a test that passes for nothing"
    for path, method, operation in found:
        unknown = set(path_ids(path)) - NOUNS
        assert not unknown, f"{method} {path}: teach the sweep what {unknown} names"
        wants_body = "requestBody" in operation and path_ids(path)
        assert not wants_body or operation["operationId"] in BODIES, f"{method} {path}: give the sweep a body"
        parameters = {p["name"] for p in operation.get("parameters", ()) if p["in"] != "path"}
        for name in (parameters | {f for f in fields_of(served, operation) if f.endswith("_id")}) - NOT_IDS:
            is_form = name in ("client_id",) or (operation["operationId"], name) in MODEL_IDS
            assert is_form or (operation["operationId"], name) in INNER, f"{method} {path}: is {name} an id?"


async def test_A14_what_is_anothers_is_not_there(
    served: Served, alice: Person, bob: Person, hers: dict[str, str]
) -> None:
    missing = dict.fromkeys(NOUNS, MISSING)
    swept = 0
    for path, method, operation in described(served):
        if not path_ids(path):
            continue
        theirs = await ask(bob.client, filled(path, hers), method, operation)
        nothing = await ask(bob.client, filled(path, missing), method, operation)
        expected = 403 if operation["tags"] == ["administration"] else 404
        assert theirs.status_code == expected, (method, path, theirs.text)
        same(theirs, nothing)
        assert "Alice" not in theirs.text and "alice" not in theirs.text
        swept += 1
    assert swept >= 18
    for noun, path in (
        ("conversation_id", "conversations/{}"),
        ("message_id", "messages/{}"),
        ("job_id", "jobs/{}"),
    ):
        assert (await alice.client.get(f"/api/v1/{path.format(hers[noun])}")).status_code == 200, "it was there"
    assert hers["key_id"] in (await alice.client.get("/api/v1/auth/api-keys")).text


async def test_A14_nobody_is_401_everywhere(served: Served, client: httpx.AsyncClient, hers: dict[str, str]) -> None:
    first = None
    for path, method, operation in described(served):
        if operation["operationId"] in NEED_NOBODY:
            continue
        assert operation.get("security"), f"{method} {path} says that nobody may call it"
        for ids in (hers, dict.fromkeys(NOUNS, MISSING)):
            answer = await ask(client, filled(path, ids), method, operation)
            assert answer.status_code == 401, (method, path, answer.text)
            first = first or answer
            same(answer, first)


async def test_A15_A24_the_same_for_a_token_that_was_signed_out(
    served: Served, alice: Person, hers: dict[str, str]
) -> None:
    await alice.client.post("/api/v1/auth/logout")
    for path, method, operation in described(served):
        if operation["operationId"] not in NEED_NOBODY:
            answer = await ask(alice.client, filled(path, hers), method, operation)
            assert answer.status_code == 401, (method, path)


async def test_A23_members_are_403_on_administration_and_A14_administrators_read_nobodys_chats(
    served: Served, bob: Person, dana: Person, hers: dict[str, str]
) -> None:
    bodies: dict[str, Any] = {
        "createUser": {"username": "x", "email": "x@y", "password": PASSWORD},
        "updateUser": {"disabled": True},
    }
    swept = 0
    for path, method, operation in described(served):
        if operation["tags"] == ["administration"]:
            body = bodies.get(operation["operationId"])
            url = filled(path, hers)
            arguments: dict[str, Any] = {} if body is None else {"json": body}
            answer = await bob.client.request(method.upper(), url, **arguments)
            assert answer.status_code == 403, (method, path)
            swept += 1
        elif path_ids(path):
            assert (await ask(dana.client, filled(path, hers), method, operation)).status_code == 404, (method, path)
    assert swept >= 5


async def test_A16_an_inner_id_of_anothers_is_as_unknown_as_a_missing_one(
    served: Served, bob: Person, hers: dict[str, str]
) -> None:
    own = {"conversation_id": await bob.conversation()}
    swept = set()
    for path, method, operation in described(served):
        for (operation_id, name), noun in INNER.items():
            if operation_id != operation["operationId"]:
                continue
            answers = []
            for value in (hers[noun], MISSING):
                url = filled(path, own)
                if any(p["name"] == name for p in operation.get("parameters", ())):
                    answers.append(await bob.client.request(method.upper(), url, params={name: value}))
                else:
                    body = {**BODIES[operation_id], name: value}
                    answers.append(await bob.client.request(method.upper(), url, json=body))
            same(*answers)
            assert hers[noun] not in answers[0].text and answers[0].status_code in (200, 404, 409, 422)
            swept.add((operation_id, name))
    assert swept == set(INNER)


async def test_I8_lists_hold_nothing_of_anothers(bob: Person, hers: dict[str, str]) -> None:
    for path in ("conversations", "conversations?archived=true", "jobs", "auth/sessions", "auth/api-keys"):
        text = (await bob.client.get(f"/api/v1/{path}")).text
        assert not any(value in text for value in hers.values()), path
