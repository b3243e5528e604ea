"""Contract fuzz: every operation as Alice, by the document alone (method 1 of reliability.md)."""

import asyncio
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi import checks

from app.accounts.service import update_user
from app.api.openapi import openapi_json, operations
from app.main import create_app
from tests.api.people import person
from tests.api.serving import Served, serving, settings_for
from tests.effort import IS_CAMPAIGN, effort

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
EXAMPLES = effort(8, 120)
# The server in the other thread may use `random`; Hypothesis takes that for a strategy's.
pytestmark = [pytest.mark.campaign, pytest.mark.filterwarnings("ignore:Do not use the `random` module")]
if not IS_CAMPAIGN:
    pytestmark.append(pytest.mark.sqlite)  # what an operation answers, tests/api/v1 tries on PostgreSQL as well
# Streams have no end, the others end Alice's own session, and a sign-in is not JSON.
NOT_FUZZED = {"streamJobEvents", "streamEvents", "logout", "deleteMe", "changePassword", "revokeSession"}
OPERATIONS = sorted(
    operation["operationId"] for _, _, operation in operations(create_app(settings_for(Path("unused"))).openapi())
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, kind_of_database: str) -> Iterator[tuple[Served, dict[str, str]]]:
    """A server of its own, with ids that exist for paths to hit."""
    with serving(tmp_path_factory.mktemp("fuzz") / "data", model_slots=0, max_queued_per_user=0) as served:
        yield served, asyncio.run(_things(served))


async def _things(served: Served) -> dict[str, str]:
    dana = await person(served, "dana")
    await served.run(lambda: _promote(served, dana.id))
    async with dana.client:
        conversation_id = await dana.conversation()
        done = await dana.answered(conversation_id)
        key = (await dana.client.post("/api/v1/auth/api-keys", json={"name": "k"})).json()
    bob = await person(served, "bob")
    await bob.client.aclose()
    return {
        "token": str(dana.tokens["access_token"]),
        "conversation_id": conversation_id,
        "message_id": done["assistant_message"]["id"],
        "job_id": done["job"]["id"],
        "key_id": key["id"],
        "user_id": bob.id,
    }


async def _promote(served: Served, user_id: str) -> None:
    async with served.services.database.transaction() as session:
        await update_user(session, user_id, {"role": "admin"})


@cache
def described(app: FastAPI) -> Any:
    return schemathesis.openapi.from_dict(app.openapi())


@pytest.mark.parametrize("operation_id", [name for name in OPERATIONS if name not in NOT_FUZZED])
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_answer_is_one_that_the_document_promises(
    fuzzed: tuple[Served, dict[str, str]], operation_id: str, mode: str
) -> None:
    served, things = fuzzed
    operation = described(served.app).find_operation_by_id(operation_id)
    strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    headers = {"Authorization": f"Bearer {things['token']}"}
    turn = 0

    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        derandomize=not IS_CAMPAIGN,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        nonlocal turn
        turn += 1
        if turn % 2 and mode == "positive" and case.path_parameters and not operation_id.startswith("delete"):
            # Every second time a thing that is there.
            case.path_parameters = {name: things.get(name, value) for name, value in case.path_parameters.items()}
        if case.query:
            case.query.pop("wait", None)
        case.call_and_validate(base_url=served.url, checks=CHECKS, headers=headers, timeout=20)

    try:
        ask()
    except Unsatisfiable:
        # Where there is nothing to send there is nothing to get wrong.
        assert mode == "negative" and not operation.definition.raw.get("requestBody")
        assert not operation.definition.raw.get("parameters")
    else:
        assert turn >= 1


def test_the_committed_description_is_the_apps(fuzzed: tuple[Served, dict[str, str]]) -> None:
    """`teahouse openapi` writes it; the SPA's client is made from it."""
    file = Path(__file__).parents[2] / "frontend-islands" / "openapi.json"
    assert file.read_bytes() == openapi_json(fuzzed[0].app), "run `teahouse openapi`"
