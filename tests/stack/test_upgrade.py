"""New code with a new migration, and the way back, while people read answers."""

import re
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pysqlite3
import pytest

from app import migrations
from tests.stack.reading import reading
from tests.stack.stack import Stack
from tests.stack.visitor import Visitor, sign_up, visitors

pytestmark = pytest.mark.timeout(240)

NEXT = f"{int(migrations.newest_revision()) + 1:04}"
MIGRATION = f'''"""What an upgrade brings: a column that old code knows nothing of."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{migrations.newest_revision()}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("mood", sa.Text(), nullable=False, server_default="calm"))
    op.create_index("ix_conversations_mood", "conversations", ["mood"])
'''


@pytest.fixture(scope="module")
def people(secure_site: Stack) -> list[str]:
    return [sign_up(secure_site.url, name, secure_site.context) for name in ("xavier", "yvonne", "zoe")]


@pytest.fixture
async def readers(secure_site: Stack, people: list[str]) -> AsyncIterator[list[Visitor]]:
    async with visitors(secure_site.url, people, secure_site.context) as made:
        yield made


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, path
    path.write_text(text.replace(old, new))


def _bring_new_code(site: Stack) -> None:
    """As `git pull` does: version, model, migration, template and style change at once."""
    app = site.root / "app"
    (app / "__init__.py").write_text('"""Newer."""\n\n__version__ = "9.9.9"\n')
    _replace(
        app / "conversations" / "models.py",
        "    pinned: Mapped",
        '    mood: Mapped[str] = mapped_column(Text, server_default="calm")\n    pinned: Mapped',
    )
    _replace(
        app / "conversations" / "models.py",
        '        Index("ix_conversations_recent"',
        '        Index("ix_conversations_mood", "mood"),\n        Index("ix_conversations_recent"',
    )
    (app / "migrations" / "versions" / f"{NEXT}_add_mood.py").write_text(MIGRATION)
    base = site.root / "templates" / "layouts" / "base.html"
    base.write_text(base.read_text().replace("<head>", '<head>\n<meta name="generator" content="9.9.9">', 1))
    css = site.root / "static" / "css" / "base.css"
    css.write_text(css.read_text() + "\n.brought-by-the-upgrade { margin: 0 }\n")


def _page(site: Stack, path: str = "/register") -> str:
    with urllib.request.urlopen(site.url + path, timeout=10, context=site.context) as answer:
        return str(answer.read().decode())


def _until_all_pages_are_new(site: Stack) -> None:
    """For a moment old workers answer beside new ones."""
    deadline, in_a_row = time.monotonic() + 30, 0
    while in_a_row < 10:
        in_a_row = in_a_row + 1 if 'content="9.9.9"' in _page(site) else 0
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _conversations(site: Stack) -> list[str]:
    database = pysqlite3.connect(f"file:{site.root / 'data' / 'teahouse.db'}?mode=ro", uri=True)
    try:
        return [row[1] for row in database.execute("PRAGMA table_info(conversations)")]
    finally:
        database.close()


async def test_F33_an_upgrade_and_its_migration_turn_nobody_away(secure_site: Stack, readers: list[Visitor]) -> None:
    site = secure_site
    assert "9.9.9" not in _page(site)

    def deed() -> None:
        _bring_new_code(site)
        site.teahouse("deploy", "static", "--root", str(site.root))
        site.app.ask("reload")
        site.app.wait("main ")
        _until_all_pages_are_new(site)

    await reading(site, readers, deed)
    assert [visitor.failed for visitor in readers] == [[], [], []]
    assert 'content="9.9.9"' in _page(site)
    styles = re.findall(r'href="(/static/[^"]+\.css[^"]*)"', _page(site))
    (style,) = [path for path in styles if "brought-by-the-upgrade" in _page(site, path)]
    assert (site.root / "public" / "versions" / style.split("v=")[1]).is_dir(), "Nginx has it, not the app"
    assert "mood" in _conversations(site)
    assert site.teahouse("db", "current").strip() == NEXT
    assert "sound" in site.teahouse("db", "check")
    site.teahouse("check")
    assert any("version 9.9.9" in str(line["message"]) for line in site.log_lines())


async def test_and_one_command_is_the_way_back(secure_site: Stack, readers: list[Visitor]) -> None:
    """After the test above: the old program, on the database of before: what was said before the upgrade is there."""
    site = secure_site
    site.app.ask("stop")
    said = site.teahouse("db", "restore-snapshot")
    assert f"at {migrations.newest_revision()}" in said
    source = Path(migrations.__file__).parents[2]
    for name in (
        "app/__init__.py",
        "app/conversations/models.py",
        "templates/layouts/base.html",
        "static/css/base.css",
    ):
        (site.root / name).write_bytes((source / name).read_bytes())
    (site.root / "app" / "migrations" / "versions" / f"{NEXT}_add_mood.py").unlink()
    site.app.ask("start")
    site.app.wait("ready")
    site.wait_for("/readyz")
    assert "9.9.9" not in _page(site) and "mood" not in _conversations(site)
    assert "sound" in site.teahouse("db", "check")
    site.teahouse("check")
    for reader in readers:
        assert len((await reader.ask("GET", "/conversations"))["items"]) > 0, (
            "signed in, and with what was there before"
        )
