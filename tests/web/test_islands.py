"""Where islands mount: plain HTML without a build, their script beside it with one."""

import json
from pathlib import Path

import pytest

from app.http.assets import ViteManifest
from app.web.templates import environment


def drawn() -> str:
    return environment.get_template("shared/_islands.html").render().strip()


def test_without_a_build_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environment.globals, "vite_asset", ViteManifest(tmp_path))
    assert drawn() == ""


def test_with_a_build_its_script_and_styles_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = {"file": "assets/islands-1a2b.js", "css": ["assets/islands-3c4d.css"], "isEntry": True}
    (tmp_path / "manifest.json").write_text(json.dumps({"src/islands/index.ts": chunk}))
    monkeypatch.setitem(environment.globals, "vite_asset", ViteManifest(tmp_path))
    html = drawn()
    assert '<script type="module" src="/app/assets/islands-1a2b.js"></script>' in html
    assert '<link rel="stylesheet" href="/app/assets/islands-3c4d.css">' in html
