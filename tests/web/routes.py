"""Every route of the pages, from the routing table itself: what is new there is swept by itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.settings import Settings
from app.web.router import install_pages

# For nobody too: forms to come in, and the language of the forms.
PUBLIC = {"/login", "/register", "/language"}
# A sound value for each field and each part of a path that is no id: a refusal must be for the id and nothing else.
SOUND = {
    "content": "x",
    "title": "x",
    "seen": "",
    "label": "a label",
    "model": "ollama/scripted:latest",
    "idempotency_key": "a-key-of-the-sweep",
    "csrf_token": "",
    "username": "somebody",
    "email": "somebody@example.org",
    "password": "a long enough password",
    "invite": "",
    "next": "/",
    "page": "login",
    "current_password": "a long enough password",
    "new_password": "another long password",
    "your_password": "a long enough password",
    "locale": "en",
    "theme": "system",
    "default_model": "ollama/scripted:latest",
    "name": "a name",
    "expires": "",
    "scopes": "read",
    "role": "member",
    "signup": "open",
    "id": "ollama/scripted:latest",
    "back": "/admin/jobs",
}
REQUIRED = {"id"}
# What a path's id names.
NOUNS = {"conversation_id", "message_id", "job_id", "session_id", "key_id", "user_id", "invite_id"}


@dataclass(frozen=True)
class PageRoute:
    method: str
    path: str
    query: frozenset[str]
    fields: frozenset[str]

    @property
    def names(self) -> list[str]:
        """What stands in braces."""
        return re.findall(r"{(\w+)(?::\w+)?}", self.path)

    @property
    def ids(self) -> list[str]:
        return [name for name in self.names if name in NOUNS]

    @property
    def is_admin(self) -> bool:
        return self.path == "/admin" or self.path.startswith("/admin/")

    @property
    def body(self) -> dict[str, str]:
        return {name: SOUND[name] for name in self.fields}

    @property
    def asked(self) -> dict[str, str]:
        """What must stand in the query."""
        return {name: SOUND[name] for name in self.query & REQUIRED}

    def filled(self, ids: dict[str, str]) -> str:
        return re.sub(r"{(\w+)(?::\w+)?}", lambda found: {**SOUND, **ids}[found[1]], self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@cache
def page_routes() -> list[PageRoute]:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    install_pages(app, Settings(_env_file=None, data_dir=Path("/nonexistent")))
    return [
        PageRoute(method, route.path or "", frozenset(_names(route.dependant, "query_params")), fields)
        for route in iter_route_contexts(app.routes)
        for fields in [frozenset(_names(route.dependant, "body_params"))]
        for method in sorted(route.methods or ())
    ]


def _names(dependant: Any, kind: str) -> Iterator[str]:
    """Of the route and of everything it depends on."""
    yield from (field.alias for field in getattr(dependant, kind))
    for inner in dependant.dependencies:
        yield from _names(inner, kind)
