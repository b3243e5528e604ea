"""Canaries: every secret of this server is a known string, and is found nowhere but where it was handed out. (A65)"""

import logging
from pathlib import Path

import httpx
import pytest

from tests.api.people import MISSING, bearer, person
from tests.api.serving import serving
from tests.factories.accounts import PASSWORD, password_hash

SERVER_SECRET = "canary-server-secret-0123456789abcdef"
PROVIDER_KEY = "canary-provider-key-0123456789"
TYPED = "canary typed password"
WRITTEN = "canary-of-what-people-write"


@pytest.mark.sqlite
async def test_A65_no_secret_and_no_text_is_in_logs_answers_or_plain_in_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("httpcore", "httpx"):  # the clients of this test, which are in the same process
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
    data = tmp_path / "data"
    answers: list[httpx.Response] = []

    async def keep(answer: httpx.Response) -> None:
        await answer.aread()
        answers.append(answer)

    values = {"openai_base_url": "http://127.0.0.1:9/v1", "openai_api_key": PROVIDER_KEY, "secret_key": SERVER_SECRET}
    values |= {"retry_patience": "0"}
    with serving(data, log_level="DEBUG", **values) as served:
        alice = await person(served, "alice")
        keys = served.services.keyring
        hooks = {"response": [keep]}
        pages = httpx.AsyncClient(base_url=served.url, headers={"Origin": served.url}, event_hooks=hooks, verify=False)
        alice.client.event_hooks = hooks
        async with alice.client as client, pages:
            handed = alice.tokens
            made = (await client.post("/api/v1/auth/api-keys", json={"name": "k"})).json()["secret"]
            login = await pages.post("/api/v1/auth/login", data={"username": alice.name, "password": PASSWORD})
            cookie = pages.cookies["teahouse_session"]
            refreshed = await pages.post("/api/v1/auth/refresh", json={"refresh_token": handed["refresh_token"]})
            handed_out = {made: answers[0], login.json()["refresh_token"]: login}
            handed_out[refreshed.json()["refresh_token"]] = refreshed
            await pages.post("/api/v1/auth/login", data={"username": alice.name, "password": TYPED})
            await pages.post("/api/v1/auth/login", data={"username": TYPED, "password": TYPED, "grant_type": "x"})
            await pages.post("/api/v1/auth/register", json={"username": "x y", "email": "x", "password": TYPED})
            await pages.post("/api/v1/auth/register", json={"username": "x", "password": [TYPED]})
            await client.post("/api/v1/auth/password", json={"current_password": TYPED, "new_password": "short"})
            await client.post("/api/v1/auth/password", json={"current_password": TYPED, "new_password": TYPED})
            await pages.post("/api/v1/auth/refresh", json={"refresh_token": [made]})
            await pages.get("/api/v1/auth/me", params={"access_token": made, "api_key": handed["access_token"]})
            async with bearer(served.url, made) as program:
                program.event_hooks = {"response": [keep]}
                await program.get("/api/v1/models")
                await program.get(f"/api/v1/jobs/{MISSING}", params={"after": made[:30]})
            conversation_id = await alice.conversation()
            await alice.answered(conversation_id, f"{WRITTEN} [[tokens=2]]")
            await alice.answered(conversation_id, f"{WRITTEN} [[fault=status:500]]", model="openai/gpt")
            await client.get(f"/api/v1/conversations/{conversation_id}/export")
            for path in (
                "auth/me",
                "auth/sessions",
                "auth/api-keys",
                "conversations",
                "jobs",
                "models",
                "openapi.json",
            ):
                await client.get(f"/api/v1/{path}")
            for path in ("/metrics", "/healthz", "/readyz", "/api/docs"):
                await pages.get(path)
        derived = [keys.key(purpose).hex() for purpose in ("jwt", "refresh", "signing session", "signing csrf")]
    logs = b"".join(file.read_bytes() for file in (data / "logs").rglob("*") if file.is_file())
    assert b"/api/v1/auth/login" in logs, "a search that could find nothing"
    database = b"".join(file.read_bytes() for file in data.glob("teahouse.db*"))
    assert WRITTEN.encode() in database
    secrets = [PASSWORD, TYPED, SERVER_SECRET, PROVIDER_KEY, made, cookie, password_hash(), *derived]
    secrets += [handed["access_token"], handed["refresh_token"], *handed_out]
    for secret in secrets:
        assert secret.encode() not in logs, f"logged: {secret[:12]}…"
        if secret != password_hash():
            assert secret.encode() not in database, f"stored in plain: {secret[:12]}…"
        for answer in answers:
            given = answer is handed_out.get(secret)
            assert given or secret not in answer.text, f"{answer.request.url} tells {secret[:12]}…"
    assert WRITTEN.encode() not in logs, "what people write is theirs"
