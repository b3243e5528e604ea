"""What takes long is done in a thread: the event loop goes on serving the others."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.rendering import escape_text, render_markdown
from app.security import hashing
from tests.api.people import Person
from tests.api.serving import Served
from tests.factories.accounts import PASSWORD


async def test_F42_rendering_and_hashing_never_run_on_the_event_loop(
    alice: Person, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def here() -> int:
        return threading.get_ident()

    loop_thread = await served.run(here)
    seen: list[int] = []

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **keywords: Any) -> Any:
            seen.append(threading.get_ident())
            return function(*arguments, **keywords)

        return noted

    monkeypatch.setattr("app.api.v1.schemas.messages.render_markdown", noting(render_markdown))
    monkeypatch.setattr("app.api.v1.schemas.messages.escape_text", noting(escape_text))
    monkeypatch.setattr(hashing, "_matches", noting(hashing._matches))
    conversation = (await alice.client.post("/api/v1/conversations", json={})).json()["id"]
    path = f"/api/v1/conversations/{conversation}/messages"
    accepted = (await alice.client.post(path, json={"content": "**hello** [[tokens=5]]"})).json()
    await alice.client.get(f"/api/v1/jobs/{accepted['job']['id']}?wait=20")
    assert (await alice.client.get(f"{path}?format=html")).status_code == 200
    message = accepted["assistant_message"]["id"]
    assert (await alice.client.get(f"/api/v1/messages/{message}?format=html")).status_code == 200
    form = {"username": alice.name, "password": PASSWORD}
    assert (await alice.client.post("/api/v1/auth/login", data=form)).status_code == 200
    assert len(seen) >= 4
    assert loop_thread not in seen
