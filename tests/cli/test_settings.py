"""Settings as people write them: understood, or refused at the start in one line."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli import examining_data
from app.cli.db import migrate
from app.cli.main import app
from app.db.postgres import for_asyncpg_address
from app.db.session import Database
from app.settings import Settings


def settings_of(**variables: str) -> Settings:
    """As from the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(f"TEAHOUSE_{name}", value)
        return Settings(_env_file=None)


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_line_of_the_form_says_nothing(blank: str) -> None:
    names = [name.upper() for name in Settings.model_fields if not name.endswith(("hosts", "proxies", "origins"))]
    assert settings_of(**dict.fromkeys(names, blank)) == Settings(_env_file=None)
    assert settings_of(TRUSTED_PROXIES=blank).trusted_proxies == []


@pytest.mark.parametrize(
    ("written", "servers", "understood"),
    [
        ("llama3.2:3b", {}, "ollama/llama3.2:3b"),
        ("llama3.2:3b", {"OLLAMA_URL": "http://a:1"}, "ollama/llama3.2:3b"),
        ("hf.co/someone/model:Q4", {}, "ollama/hf.co/someone/model:Q4"),
        ("gpt-oss", {"OPENAI_BASE_URL": "http://a:1/v1"}, "openai/gpt-oss"),
        ("openai/gpt-oss", {}, "openai/gpt-oss"),
        ("embedded/smollm2:135m", {}, "embedded/smollm2:135m"),
        ("", {"OPENAI_BASE_URL": "http://a:1/v1"}, ""),
    ],
)
def test_a_default_model_may_lack_its_server(written: str, servers: dict[str, str], understood: str) -> None:
    assert settings_of(DEFAULT_MODEL=written, **servers).default_model == understood


def test_of_two_servers_one_has_to_be_named() -> None:
    with pytest.raises(ValidationError, match=r"ollama/gpt-oss or openai/gpt-oss\?"):
        settings_of(DEFAULT_MODEL="gpt-oss", OLLAMA_URL="http://a:1", OPENAI_BASE_URL="http://a:1/v1")


@pytest.mark.parametrize(
    ("written", "for_asyncpg"),
    [
        ("postgresql://u:p@h:5433/d", {"host=h", "port=5433", "user=u", "password=p", "dbname=d"}),
        ("postgres://h/d?sslmode=require&channel_binding=require", {"host=h", "dbname=d", "sslmode=require"}),
        ("postgresql://h/d?connect_timeout=3&gssencmode=disable&keepalives=1", {"host=h", "dbname=d"}),
        (
            "postgresql://a,b/d?target_session_attrs=read-write",
            {"host=a%2Cb", "port=5432%2C5432", "dbname=d", "target_session_attrs=read-write"},
        ),
        ("postgresql:///d?host=/var/run/postgresql", {"host=%2Fvar%2Frun%2Fpostgresql", "dbname=d"}),
        ("postgresql://u:p%40%2F@h/d", {"host=h", "user=u", "password=p%40%2F", "dbname=d"}),
        ("postgresql://h/d?options=-c%20search_path%3Dtea", {"host=h", "dbname=d", "options=-c%20search_path%3Dtea"}),
        ("postgresql://h/d?hostaddr=127.0.0.1", {"host=127.0.0.1", "dbname=d"}),
    ],
)
def test_both_drivers_are_told_the_same_of_an_address(written: str, for_asyncpg: set[str]) -> None:
    url = settings_of(DATABASE_URL=written).database_url
    assert url.startswith("postgresql://")
    scheme, _, parameters = for_asyncpg_address(url).partition("?")
    assert (scheme, {*parameters.split("&")}) == ("postgresql://", for_asyncpg)


@pytest.mark.parametrize("name", ["my%20data", "what?", "a#b", "a&mode=ro", "茶 %41"])
async def test_a_folder_may_be_called_anything(tmp_path: Path, name: str) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / name)
    assert migrate(settings)
    database = Database(settings.database)
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM users")) == 0
    await database.dispose()
    assert {
        finding.level for look in (examining_data.database, examining_data.queue) for finding in look(settings)
    } == {"ok"}
    assert [path.name for path in tmp_path.iterdir()] == [name]
    backup = CliRunner().invoke(app, ["backup", str(tmp_path)], env={"TEAHOUSE_DATA_DIR": str(settings.data_dir)})
    assert (backup.exit_code, len([*tmp_path.glob("*.tar.gz")])) == (0, 1), backup.output
