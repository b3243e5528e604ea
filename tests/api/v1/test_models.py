"""The list of models, also while a model server is away."""

from pathlib import Path

import httpx

from tests.api.answers import is_problem
from tests.api.people import Person, bearer, person
from tests.api.serving import Served, serving


async def test_the_models_of_the_live_server_are_listed(alice: Person) -> None:
    answer = await alice.client.get("/api/v1/models")
    assert answer.status_code == 200
    body = answer.json()
    assert {item["id"] for item in body["items"]} >= {"ollama/scripted:latest", "ollama/thinker:latest"}
    for item in body["items"]:
        assert item.keys() == {"id", "provider", "name", "context_length", "capabilities", "loaded"}
        assert item["id"] == f"{item['provider']}/{item['name']}"
    assert body["problems"] == []


async def test_a_dead_server_is_a_problem_beside_the_list(tmp_path: Path) -> None:
    with serving(tmp_path / "data", openai_base_url="http://127.0.0.1:9/v1") as served:
        alice = await person(served, "alice")
        async with alice.client as client:
            body = (await client.get("/api/v1/models")).json()
        assert {item["provider"] for item in body["items"]} == {"ollama"}
        assert [problem["provider"] for problem in body["problems"]] == ["openai"]
        assert body["problems"][0]["message"]


async def test_the_list_is_for_those_who_are_signed_in(client: httpx.AsyncClient, served: Served) -> None:
    assert is_problem(await client.get("/api/v1/models"), 401, "invalid_token")
    async with bearer(served.url, "th_" + "A" * 43) as stranger:
        assert is_problem(await stranger.get("/api/v1/models"), 401, "invalid_token")


async def test_there_is_nothing_to_pass_and_no_other_method(alice: Person) -> None:
    assert is_problem(await alice.client.get("/api/v1/models?refresh=1"), 422, "unknown_parameter")
    assert is_problem(await alice.client.put("/api/v1/models"), 405, "method_not_allowed")


async def test_pages_of_other_sites_may_not_read_it_unless_they_are_named(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.url, verify=False) as client:
        answer = await client.get("/api/v1/models", headers={"Origin": "https://app.example.org"})
        assert "access-control-allow-origin" not in answer.headers
