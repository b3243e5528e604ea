"""Static files: their addresses carry a hash of their content, so that browsers may keep them for a year."""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app.http.security_headers import DIAGRAM_POLICY

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
DIST = ROOT / "frontend-islands" / "dist"
APP_IS_BUILT = (DIST / "index.html").exists()

# Served as one file: everything of that ending in that folder, these first.
JOINED = {"css/app.css": ("tokens.css", "base.css"), "js/app.js": ("page.js", "storage.js")}
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
# Made by the frontend's build; a document of its own, in a frame that belongs to nobody.
DIAGRAM = "diagram.html"
COMPRESSIBLE = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
MIN_COMPRESSED = 1024

RawHeaders = list[tuple[bytes, bytes]]


class StaticFile:
    """One file, or several joined into one; read, hashed and compressed at first use."""

    def __init__(self, name: str, sources: list[Path]) -> None:
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        # Debian's table says application/javascript on some machines.
        self.media_type = "text/javascript" if name.endswith((".js", ".mjs")) else guessed
        if name.endswith(".woff2"):  # which Python's table knows since 3.13
            self.media_type = "font/woff2"
        self._sources = sources
        self._policy = DIAGRAM_POLICY if name == DIAGRAM else None

    @cached_property
    def content(self) -> bytes:
        return b"\n".join(source.read_bytes() for source in self._sources)

    @cached_property
    def version(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:12]

    @cached_property
    def compressed(self) -> bytes | None:
        if len(self.content) < MIN_COMPRESSED or not self.media_type.startswith(COMPRESSIBLE):
            return None
        return gzip.compress(self.content, 9, mtime=0)

    def headers(self, *, keep: bool) -> RawHeaders:
        is_text = self.media_type.startswith("text/")
        policy = [(b"content-security-policy", self._policy.encode())] if self._policy else []
        return [
            *policy,
            (b"content-type", f"{self.media_type}{'; charset=utf-8' if is_text else ''}".encode()),
            (b"cache-control", (FOREVER if keep else ASK_AGAIN).encode()),
            (b"etag", f'"{self.version}"'.encode()),
            (b"vary", b"Accept-Encoding"),
        ]


class StaticTree:
    """An ASGI application over the files that were in a folder at start. What is not in its table does not exist.

    `hashed` names a folder whose file names already carry their hash (Vite's `assets/`): everybody may read what is in
    it, for to a frame without an origin every server is another one. `also`: files that lie elsewhere.
    """

    def __init__(
        self, folder: Path, *, joined: bool = False, hashed: str = "", also: Mapping[str, Path] | None = None
    ) -> None:
        self._hashed = hashed
        self._files = {name: StaticFile(name, [path]) for name, path in _walk(folder)}
        self._files |= {name: StaticFile(name, [path]) for name, path in (also or {}).items() if path.is_file()}
        if joined:
            for name, first in JOINED.items():
                self._files[name] = StaticFile(name, _parts(folder / name, first))

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def files(self) -> Iterable[tuple[str, StaticFile]]:
        return self._files.items()

    def versioned(self, name: str) -> str:
        """`css/app.css?v=0123456789ab`; a name that is not there stays as it is and will be a 404."""
        file = self._files.get(name)
        return quote(name) + (f"?v={file.version}" if file else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        name = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
        file = self._files.get(name)
        if file is None:
            raise HTTPException(404)
        if scope["method"] != "GET":
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        await self.send_file(name, scope, send)

    async def send_file(self, name: str, scope: Scope, send: Send, *, keep: bool | None = None) -> None:
        file = self._files[name]
        if keep is None:
            is_hashed = bool(self._hashed) and name.startswith(self._hashed)
            keep = is_hashed or scope["query_string"] == b"v=" + file.version.encode()
        headers, body, status = file.headers(keep=keep), file.content, 200
        if self._hashed and name.startswith(self._hashed):
            headers.append((b"access-control-allow-origin", b"*"))
        asked = {key: value for key, value in scope["headers"] if key in (b"accept-encoding", b"if-none-match")}
        if file.version.encode() in asked.get(b"if-none-match", b""):
            status, body = 304, b""
        else:
            if b"gzip" in asked.get(b"accept-encoding", b"") and file.compressed is not None:
                body = file.compressed
                headers.append((b"content-encoding", b"gzip"))
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _walk(folder: Path) -> Iterable[tuple[str, Path]]:
    """Plain files only: a link could lead out of the folder, a hidden file was not meant to be shown."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        linked = any(parent.is_symlink() for parent in (path, *path.parents) if parent.is_relative_to(folder))
        if path.is_file() and not hidden and not linked:
            yield name.as_posix(), path


def _parts(whole: Path, first: tuple[str, ...]) -> list[Path]:
    files = [path for path in whole.parent.glob(f"*{whole.suffix}") if path.name != whole.name]
    order = {name: number for number, name in enumerate(first)}
    return sorted(files, key=lambda path: (order.get(path.name, len(order)), path.name))


@dataclass(frozen=True, slots=True)
class ViteAsset:
    """What a page must load for one entry; empty when there is no build."""

    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()


class ViteManifest:
    """The list that Vite's build leaves behind, read once."""

    def __init__(self, dist: Path, base: str = "/app/") -> None:
        self._base = base
        self._chunks: dict[str, Any] = {}
        for name in ("manifest.json", ".vite/manifest.json", "islands.json"):
            if (dist / name).is_file():
                self._chunks |= orjson.loads((dist / name).read_bytes())

    def __call__(self, entry: str) -> ViteAsset:
        chunk = self._chunks.get(entry)
        if chunk is None:
            return ViteAsset()
        styles = dict.fromkeys(self._styles_of(entry, set()))
        return ViteAsset((self._base + chunk["file"],), tuple(self._base + style for style in styles))

    def _styles_of(self, name: str, seen: set[str]) -> Iterable[str]:
        if name in seen:
            return
        seen.add(name)
        chunk = self._chunks.get(name, {})
        for imported in chunk.get("imports", ()):
            yield from self._styles_of(imported, seen)
        yield from chunk.get("css", ())


static_files = StaticTree(STATIC, joined=True, also={DIAGRAM: DIST / DIAGRAM})
vite_asset = ViteManifest(DIST)


def asset_url(name: str) -> str:
    """The address of a file under `static/`: `asset_url("css/app.css")`."""
    return "/static/" + static_files.versioned(name)
