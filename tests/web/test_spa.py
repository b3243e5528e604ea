"""The built frontend under /app/, and its absence."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.http.assets import FOREVER, StaticTree
from app.http.errors import install_error_handlers
from app.web import spa


def client_of(dist: Path, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    monkeypatch.setattr(spa, "DIST", dist)
    app = FastAPI()
    spa.install_spa(app)
    install_error_handlers(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Teahouse</title>")
    (tmp_path / "first-paint.js").write_text("let first;")
    (tmp_path / "assets" / "spa-1a2b.js").write_text("let spa;")
    return tmp_path


@pytest.mark.parametrize("path", ["/app/", "/app/login", "/app/c/0198c0de-0000-7000-8000-000000000000", "/app/a.b/c"])
async def test_every_address_of_the_application_is_its_page(
    path: str, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client_of(dist, monkeypatch) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.text) == (200, "<title>Teahouse</title>")
        assert answer.headers["cache-control"] == "no-cache", "a new build is seen at the next visit"
        assert (await client.get("/app")).headers["location"] == "/app/"


async def test_its_files_are_kept_for_a_year_and_those_of_another_build_are_missing(
    dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client_of(dist, monkeypatch) as client:
        assert (await client.get("/app/assets/spa-1a2b.js")).headers["cache-control"] == FOREVER
        assert (await client.get("/app/first-paint.js")).headers["cache-control"] == "no-cache"
        assert (await client.get("/app/assets/spa-old.js")).status_code == 404
        assert (await client.post("/app/login")).status_code == 405


async def test_without_a_build_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with client_of(tmp_path, monkeypatch) as client:
        assert (await client.get("/app/")).status_code == 404


def test_the_tree_knows_which_names_carry_a_hash(dist: Path) -> None:
    assert "assets/spa-1a2b.js" in StaticTree(dist, hashed="assets/")
