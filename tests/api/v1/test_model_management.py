"""Fetching, dropping and unloading models: administrators, Ollama, a job with progress."""

from typing import Any

from tests.api.answers import is_problem
from tests.api.people import Person
from tests.api.serving import Served

MODELS = "/api/v1/models"


async def _ended(person: Person, answer: Any) -> Any:
    job = answer.json()["job"]
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["kind"], job["status"], job["links"]["conversation"]) == ("model_pull", "queued", None)
    return (await person.client.get(f"/api/v1/jobs/{job['id']}?wait=20")).json()


async def test_a_pull_is_a_job_with_progress(dana: Person, served: Served) -> None:
    answer = await dana.client.post(f"{MODELS}/pull", json={"name": "tiny:1b"})
    assert answer.status_code == 202
    job = await _ended(dana, answer)
    assert (job["status"], job["result"]) == ("succeeded", {"model": "ollama/tiny:1b"})
    assert job["progress"]["unit"] == "bytes"
    assert job["progress"]["done"] == job["progress"]["total"] == 100_000_000


async def test_a_pull_that_fails_says_why(dana: Person) -> None:
    job = await _ended(dana, await dana.client.post(f"{MODELS}/pull", json={"name": "missing"}))
    assert job["status"] == "failed"
    assert job["error"]["message"]


async def test_one_key_pulls_once(dana: Person) -> None:
    key = {"Idempotency-Key": "pull-1"}
    first = await dana.client.post(f"{MODELS}/pull", json={"name": "tiny:2b"}, headers=key)
    again = await dana.client.post(f"{MODELS}/pull", json={"name": "tiny:2b"}, headers=key)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_models_are_managed_by_administrators(alice: Person, dana: Person) -> None:
    assert is_problem(await alice.client.post(f"{MODELS}/pull", json={"name": "tiny"}), 403, "insufficient_scope")
    assert is_problem(await alice.client.delete(f"{MODELS}?id=ollama/tiny"), 403, "insufficient_scope")
    unload = {"id": "ollama/scripted:latest"}
    assert is_problem(await alice.client.post(f"{MODELS}/unload", json=unload), 403, "insufficient_scope")
    assert (await dana.client.post(f"{MODELS}/unload", json=unload)).status_code == 204


async def test_a_model_is_looked_at(dana: Person) -> None:
    details = (await dana.client.get(f"{MODELS}/details?id=ollama/scripted:latest")).json()
    assert details["id"] == "ollama/scripted:latest" and details["family"] and details["capabilities"]
    assert is_problem(await dana.client.get(f"{MODELS}/details?id=ollama/no-such"), 404, "not_found")
    assert (await dana.client.get(f"{MODELS}/details")).status_code == 422


async def test_a_model_that_is_not_there_cannot_be_dropped(dana: Person) -> None:
    assert is_problem(await dana.client.delete(f"{MODELS}?id=ollama/nowhere"), 404, "not_found")
    assert is_problem(await dana.client.delete(f"{MODELS}?id=openai/gpt"), 422, "not_ollama")


async def test_a_name_is_never_a_path_or_a_host(dana: Person) -> None:
    for name in ("../../etc/passwd", "https://evil.example/x", "evil.example:80/a/b", "a//b", "-x", "a b"):
        answer = await dana.client.post(f"{MODELS}/pull", json={"name": name})
        assert is_problem(answer, 422, "invalid_model_name"), name
