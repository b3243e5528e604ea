"""Registers at a server that is still starting, and asks its built-in model. Run on the bare machine: no packages."""

import json
import time
import urllib.request
from typing import Any

SERVER = "http://127.0.0.1:8000"
WITHIN = 120.0  # seconds, for all of it
began = time.monotonic()


def main() -> None:
    while not opens():
        assert time.monotonic() - began < WITHIN, "the server does not open"
        time.sleep(0.1)
    print(f"open after {time.monotonic() - began:.1f} s", flush=True)
    call("/auth/register", {"username": "alice", "email": "alice@example.org", "password": "a-long-password"})
    token = call("/auth/login", b"username=alice&password=a-long-password")["access_token"]
    conversation = call("/conversations", {"model": built_in_model(token)}, token)["id"]
    question = {"content": "How long should green tea steep?"}
    accepted = call(f"/conversations/{conversation}/messages", question, token)
    while (job := call(f"/jobs/{accepted['job']['id']}?wait=5", token=token))["status"] in ("queued", "running"):
        assert time.monotonic() - began < WITHIN, "the model does not answer"
    message = call(f"/messages/{accepted['assistant_message']['id']}", token=token)
    assert job["status"] == "succeeded" and message["content"], job["error"]
    print(f"answered after {time.monotonic() - began:.1f} s: {message['content'][:60]!r} …", flush=True)


def built_in_model(token: str) -> str:
    """Not what an Ollama on this machine would answer."""
    listed = call("/models", token=token)
    models: list[str] = [model["id"] for model in listed["items"] if model["provider"] == "embedded"]
    assert models, listed["problems"]
    return models[0]


def opens() -> bool:
    try:
        with urllib.request.urlopen(f"{SERVER}/healthz", timeout=5):
            return True
    except OSError:
        return False


def call(path: str, body: dict[str, str] | bytes | None = None, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if isinstance(body, dict):
        headers["Content-Type"] = "application/json"
        body = json.dumps(body).encode()
    request = urllib.request.Request(f"{SERVER}/api/v1{path}", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


main()
