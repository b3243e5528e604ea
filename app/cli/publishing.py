"""What Nginx serves by itself: static files, the built application, and the pages that say what Nginx refuses.

Static files lie below the version in their address (`/static/css/app.css?v=…`), beside those of earlier versions: no
address ever answers with other content than it was made for, in whatever order code and files are replaced.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from app import i18n
from app.http.assets import DIST, StaticFile, StaticTree, static_files
from app.i18n import Worded, worded

KEPT_SECONDS = 30 * 24 * 3600  # for pages that are still open somewhere
HOME = worded("To your conversations")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Nginx answers without asking the app."""

    statuses: tuple[int, ...]
    code: str
    heading: Worded
    detail: Worded
    retry_after: int | None = None

    @property
    def name(self) -> str:
        return str(self.statuses[0])


REFUSALS = (
    Refusal((413,), "too_large", worded("Too large"), worded("The request is too large.")),
    Refusal((429,), "rate_limited", worded("Too many requests"), worded("Wait a moment, then try again."), 5),
    Refusal(
        (502, 504),
        "unavailable",
        worded("Back in a moment"),
        worded("Teahouse is being restarted. No answer is lost. Try again in a moment."),
        5,
    ),
)


def publish(public: Path) -> int:
    """Write everything below `public`, and drop what nobody can have open any more. How many files there are now."""
    began = time.time()
    for name, file in static_files.files():
        _write_file(public / "versions" / file.version / "static" / name, file)
    # What names the others comes after them.
    for name, file in sorted(StaticTree(DIST).files(), key=lambda pair: not pair[0].startswith("assets/")):
        _write_file(public / "app" / name, file)
    for refusal in REFUSALS:
        _write(public / "errors" / f"{refusal.name}.html", _page(refusal).encode())
    _drop_old(public, began - KEPT_SECONDS)
    return sum(1 for path in public.rglob("*") if path.is_file())


def _write_file(path: Path, file: StaticFile) -> None:
    _write(path, file.content)
    if file.compressed is not None:
        _write(path.with_name(path.name + ".gz"), file.compressed)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable for the web server whatever the umask; one that is right is only touched."""
    _make_folder(path.parent)
    if path.is_file() and path.read_bytes() == content:
        # The time tells the clean-up that this is in use; for a browser it would be a change.
        os.utime(path, (time.time(), path.stat().st_mtime))
        return
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.chmod(0o644)
    draft.replace(path)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _drop_old(public: Path, before: float) -> None:
    for path in _old_files((public / "versions", public / "app"), before):
        path.unlink()
    for folder in sorted((public / "versions").rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _old_files(folders: Iterable[Path], before: float) -> list[Path]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if max(path.stat().st_atime, path.stat().st_mtime) < before]


def _page(refusal: Refusal) -> str:
    from app.web import preferences
    from app.web.templates import environment

    preferences.current.set(preferences.Preferences(locale=i18n.DEFAULT, theme="system", zone=UTC))
    sentences = {"heading": refusal.heading, "detail": refusal.detail, "home": HOME}
    texts = [
        {"locale": locale, **{key: i18n.catalogue(locale).gettext(text) for key, text in sentences.items()}}
        for locale in i18n.LOCALES
    ]
    return environment.get_template("errors/front.html").render(
        texts=texts, status=" · ".join(map(str, refusal.statuses)), retry_after=refusal.retry_after
    )
