"""/healthz, /readyz, /metrics."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from tests.http.conftest import settings_for
from tests.http.edge_app import Server, make_app, serve


class _Session:
    async def execute(self, _statement: Any) -> None:
        return None


class _Database:
    is_up = True

    @asynccontextmanager
    async def read(self) -> AsyncIterator[_Session]:
        if not self.is_up:
            raise RuntimeError("the database's secret path")
        yield _Session()


def test_alive_needs_no_database(server: Server) -> None:
    answer = server.get("/healthz")
    assert (answer.status, answer.body) == (200, b"ok")


def test_ready_means_that_every_check_passes(tmp_path_factory: pytest.TempPathFactory) -> None:
    app = make_app(settings_for(tmp_path_factory.mktemp("ready")))
    app.state.services = SimpleNamespace(database=_Database())

    async def engine_is_alive() -> None:
        if app.state.engine_is_dead:
            raise RuntimeError("the runner has died")

    app.state.engine_is_dead = False
    app.state.checks.register("jobs", engine_is_alive)
    with serve(app) as server:
        assert server.get("/readyz").status == 200
        app.state.engine_is_dead = True
        app.state.services.database.is_up = False
        answer = server.get("/readyz")
        assert answer.status == 503
        assert [error["pointer"] for error in json.loads(answer.body)["errors"]] == ["database", "jobs"]
        assert b"secret" not in answer.body
        app.state.engine_is_dead = False
        app.state.services.database.is_up = True
        app.state.draining = True
        answer = server.get("/readyz")
        assert (answer.status, json.loads(answer.body)["type"]) == (503, "urn:teahouse:draining")
        assert "retry-after" in answer.headers


def test_numbers_are_counted_by_declared_route(server: Server) -> None:
    for thing in ("one", "two"):
        server.get(f"/api/v1/things/{thing}")
    text = server.get("/metrics").body.decode()
    assert 'teahouse_requests_total{route="/api/v1/things/{thing}",status="200"}' in text
    assert "things/one" not in text
    assert 'teahouse_request_seconds_bucket{le="+Inf",route="/api/v1/things/{thing}"}' in text
    assert "process_resident_memory_bytes" in text


def test_A68_numbers_are_for_this_machine_alone(server: Server) -> None:
    assert server.get("/metrics", "X-Forwarded-For: 203.0.113.7").status == 404
    assert server.get("/metrics", "X-Forwarded-For: 127.0.0.1").status == 404
