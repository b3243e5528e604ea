"""Static files: versioned, joined, kept for a year, and nothing beside them."""

import gzip
import hashlib
import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.http import assets
from app.http.assets import STATIC, StaticTree, ViteManifest
from app.http.edge import install_edge
from tests.http.conftest import settings_for
from tests.http.edge_app import Server, request, serve


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "css").mkdir(parents=True)
    for name in ("messages", "base", "tokens"):
        (static / "css" / f"{name}.css").write_text(f".{name} {{ color: red }}\n" * 50)
    (static / "app.js").write_text("let x = '茶';\n" * 200)
    (static / ".hidden").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    (static / "link.txt").symlink_to(tmp_path / "secret.txt")
    (static / "linked").symlink_to(tmp_path)
    return static


@pytest.fixture
def files(folder: Path) -> StaticTree:
    return StaticTree(folder, joined=True)


def _served(tmp_path: Path, files: StaticTree, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr("app.http.edge.static_files", files)
    app = FastAPI()
    install_edge(app, settings_for(tmp_path))
    return app


def test_styles_are_one_file_in_a_fixed_order(files: StaticTree) -> None:
    content = files._files["css/app.css"].content.decode()
    assert content.index(".tokens") < content.index(".base") < content.index(".messages")
    assert files.versioned("css/app.css").startswith("css/app.css?v=")
    assert files.versioned("nothing.css") == "nothing.css"


def test_A48_nothing_outside_the_folder_is_served(
    tmp_path: Path, files: StaticTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacks = (
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "..%5csecret.txt",
        "%252e%252e/secret.txt",
        "css/../../secret.txt",
        "/secret.txt",
        "//" + str(tmp_path / "secret.txt"),
        "link.txt",
        "linked/secret.txt",
        ".hidden",
        "app.js%00.css",
        "",
        "css",
        "css/",
    )
    with serve(_served(tmp_path, files, monkeypatch)) as server:
        assert server.get("/static/app.js").status == 200
        for attack in attacks:
            answer = server.get(f"/static/{attack}")
            assert answer.status == 404, attack
            assert b"secret" not in answer.body, attack


def test_a_versioned_file_is_kept_for_a_year_and_another_is_asked_for_again(
    tmp_path: Path, files: StaticTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(_served(tmp_path, files, monkeypatch)) as server:
        kept = server.get("/static/" + files.versioned("app.js"))
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert kept.headers["content-type"] == "text/javascript; charset=utf-8"
        for path in ("/static/app.js", "/static/app.js?v=000000000000"):
            answer = server.get(path)
            assert answer.headers["cache-control"] == "no-cache"
        again = server.get("/static/app.js", f"If-None-Match: {answer.headers['etag']}")
        assert (again.status, again.body) == (304, b"")


def test_text_is_compressed_for_who_can_read_it(
    tmp_path: Path, files: StaticTree, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(_served(tmp_path, files, monkeypatch)) as server:
        packed = server.get("/static/app.js", "Accept-Encoding: br, gzip")
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == (folder / "app.js").read_bytes()
        assert server.get("/static/app.js").body == (folder / "app.js").read_bytes()
        with server.connect() as connection:
            connection.send(request("HEAD", "/static/app.js"))
            assert b"content-length: 3000" in connection.socket.recv(4096).lower()
        answer = server.ask(request("POST", "/static/app.js", "X: y"))
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_without_a_build_there_is_nothing_to_load(tmp_path: Path) -> None:
    asset = ViteManifest(tmp_path)("src/islands/index.ts")
    assert (asset.scripts, asset.styles) == ((), ())


def test_a_build_names_the_script_and_the_styles_of_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(
        json.dumps(
            {
                "src/islands/index.ts": {
                    "file": "assets/index-1.js",
                    "css": ["assets/a.css"],
                    "imports": ["_shared.js"],
                },
                "_shared.js": {
                    "file": "assets/shared-2.js",
                    "css": ["assets/b.css"],
                    "imports": ["src/islands/index.ts"],
                },
            }
        )
    )
    asset = ViteManifest(tmp_path)("src/islands/index.ts")
    assert asset.scripts == ("/app/assets/index-1.js",)
    assert asset.styles == ("/app/assets/b.css", "/app/assets/a.css")


def test_vendored_files_are_the_ones_that_were_recorded() -> None:
    vendor = STATIC / "vendor"
    recorded = dict(line.split("  ")[::-1] for line in (vendor / "MANIFEST.sha256").read_text().splitlines())
    present = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "MANIFEST.sha256"
    }
    assert present == recorded
    assert {f"{folder.name}/LICENSE" for folder in vendor.iterdir() if folder.is_dir()} <= set(present)


def test_the_font_of_formulas_is_kept_for_a_year_and_is_not_big(server: Server) -> None:
    address = assets.asset_url("vendor/stix-two-math/stix-two-math.woff2")
    styles = (STATIC / "css" / "maths.css").read_text()
    assert f'url("../{address.partition("/static/")[2]}")' in styles, (
        "the address has the hash of the file that is there"
    )
    answer = server.get(address)
    assert answer.headers["content-type"] == "font/woff2"
    assert answer.headers["cache-control"] == assets.FOREVER
    assert len(answer.body) <= 250_000


def test_the_project_s_own_files_have_addresses(server: Server) -> None:
    address = assets.asset_url("vendor/htmx/htmx.min.js")
    assert "?v=" in address
    assert server.get(address).headers["cache-control"] == assets.FOREVER


async def test_the_page_that_draws_diagrams_has_a_policy_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "diagram.html").write_text("<!doctype html>")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "diagram-1a2b.js").write_text("0")
    (tmp_path / "other.html").write_text("<!doctype html>")
    app = FastAPI()
    app.mount("/static", StaticTree(tmp_path, hashed="assets/"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        page = await client.get("/static/diagram.html")
        assert page.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'; ")
        # Without an origin it must ask as a stranger for its own scripts.
        script = await client.get("/static/assets/diagram-1a2b.js")
        assert script.headers["access-control-allow-origin"] == "*"
        other = await client.get("/static/other.html")
        assert "content-security-policy" not in other.headers
        assert "access-control-allow-origin" not in other.headers


def test_without_a_build_there_is_no_page_that_draws_diagrams(tmp_path: Path) -> None:
    assert "diagram.html" not in StaticTree(tmp_path, also={"diagram.html": tmp_path / "nothing" / "diagram.html"})
