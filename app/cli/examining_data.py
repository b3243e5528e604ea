"""What `teahouse doctor` looks at in the database: whether it is sound, and whether jobs stand still."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pysqlite3

from app.cli.findings import Finding
from app.clock import utcnow
from app.db.types import to_text
from app.settings import Settings

LONG_SECONDS = 300
WORKERS_SECONDS = 1.0
LOOK_SECONDS = 1.0  # a doctor who takes a minute is not asked


def database(settings: Settings) -> Iterator[Finding]:
    from app import migrations
    from app.cli.db import damage
    from app.db.sqlite import FIRST_SAFE_VERSION

    if settings.on_postgres:
        yield from _postgres(settings)
        return
    path = settings.database_path
    if pysqlite3.sqlite_version_info < FIRST_SAFE_VERSION:
        text = f"SQLite {pysqlite3.sqlite_version} can damage a database with several writers."
        yield Finding("sqlite_version", "error", text, "Install the locked packages: make .venv/run.stamp")
    if not path.exists():
        yield Finding("no_database", "warning", f"{path} is not there yet.", "teahouse db upgrade, or just start it")
        return
    looked = "sound"
    try:
        revision = migrations.current_revision(path)
        found = damage(path, within=LOOK_SECONDS)
    except TimeoutError:
        found, looked = [], "large, looked at in part (`teahouse check` looks at all of it)"
    except pysqlite3.DatabaseError as error:
        yield Finding("database_broken", "error", f"{path}: {error}", "teahouse restore FILE, with the newest backup")
        return
    if found:
        text = f"{path} is damaged: {found[0]}"
        yield Finding("database_broken", "error", text, "teahouse restore FILE, with the newest backup")
    else:
        yield _revision(str(path), revision, looked)


def _postgres(settings: Settings) -> Iterator[Finding]:
    from app import migrations
    from app.cli.db import REACHABLE, driver_errors, first_line

    name = settings.database_name
    try:
        revision = migrations.current_revision(settings.database)
        if revision is not None:
            migrations.check_rights(settings.database)
    except driver_errors(settings) as error:
        yield Finding("database_unreachable", "error", f"{name}: {first_line(error)}", REACHABLE)
        return
    except migrations.MigrationError as error:
        yield Finding("database_rights", "error", f"{name}: {error}", "Then start the server again.")
        return
    if revision is None:
        yield Finding("no_database", "warning", f"{name} is empty yet.", "teahouse db upgrade, or just start it")
    else:
        yield _revision(name, revision)


def secret(settings: Settings) -> Iterator[Finding]:
    """Whether the database is used with this machine's secret. None is made here: that is the server's to do."""
    from app.cli.db import driver_errors
    from app.cli.secret import CURE, other_secret
    from app.security.keys import FILE

    has_one = settings.secret_key or (settings.data_dir / FILE).exists()
    if not has_one or not (settings.on_postgres or settings.database_path.exists()):
        return
    try:
        difference = other_secret(settings)
    except driver_errors(settings):
        return  # told by the examination of the database itself
    if difference:
        yield Finding("other_secret", "error", difference, CURE)


def _revision(name: str, revision: str | None, looked: str = "sound") -> Finding:
    from app import migrations

    newest = migrations.newest_revision()
    if revision == newest:
        return Finding("database", "ok", f"{looked}, at {revision}")
    fix = "Run the newer program." if revision is not None and revision > newest else "teahouse db upgrade"
    return Finding("database_revision", "error", f"{name} is at {revision}, this program at {newest}.", fix)


_QUEUE = """
SELECT (SELECT count(*) FROM jobs WHERE status = 'queued' AND blocked = 0),
  (SELECT min(created_at) FROM jobs WHERE status = 'queued' AND blocked = 0 AND priority = 0),
  (SELECT count(*) FROM jobs WHERE status = 'running'),
  (SELECT count(*) FROM jobs WHERE status = 'running' AND leased_until < :stale),
  (SELECT count(*) FROM jobs WHERE created_at > :soon)
"""


def _reading(settings: Settings) -> Any:
    if settings.on_postgres:
        from app.db.postgres import PlainConnection

        return PlainConnection(settings.database_url)
    return pysqlite3.connect(f"{settings.database_path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)


def queue(settings: Settings) -> Iterator[Finding]:
    """Jobs that stand still, and a clock that has been set back."""
    from app.cli.db import driver_errors

    if not settings.on_postgres and not settings.database_path.exists():
        return
    now = utcnow()
    moments = {
        "stale": to_text(now - timedelta(seconds=60)),
        "soon": to_text(now + timedelta(seconds=60)),
    }
    try:
        with closing(_reading(settings)) as connection:
            waiting, oldest, running, stale, ahead = connection.execute(_QUEUE, moments).fetchone()
    except driver_errors(settings) as error:
        if settings.on_postgres:
            return  # told by the examination of the database itself
        fix = "Another program holds it: `fuser` names it. A backup tool must not lock it; use `teahouse backup`."
        code = "database_locked" if "locked" in str(error) else "database_broken"
        yield Finding(code, "error", f"{settings.database_path}: {error}", fix)
        return
    old = oldest is not None and oldest < to_text(now - timedelta(seconds=LONG_SECONDS))
    if ahead:
        text = f"{ahead} jobs were made in the future: the clock of this machine has been set back."
        yield Finding("clock", "warning", text, "timedatectl: let the machine keep its time by itself")
    if old or stale:
        text = f"{waiting} jobs wait, the oldest since {oldest}; {stale} of {running} running ones stand still."
        yield Finding("stuck_jobs", "error", text, "Is the server running? Is the model server? Else restart it.")
    else:
        yield Finding("queue", "ok", f"{waiting} jobs wait, {running} run")


async def redis(settings: Settings) -> AsyncIterator[Finding]:
    """Whether Celery's broker answers. Without it nothing is lost: workers look by themselves, a little later."""
    if settings.jobs_engine != "celery":
        return
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client: Redis = Redis.from_url(settings.redis_url, socket_connect_timeout=2, socket_timeout=2)
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        fix = "Is it running? Are address and password in TEAHOUSE_REDIS_URL right? Messages are late meanwhile."
        yield Finding("redis_unreachable", "error", f"Redis: {error}", fix)
    else:
        yield Finding("redis", "ok", "Redis answers")
        yield await asyncio.to_thread(_workers, settings)
    finally:
        await client.aclose()


def _workers(settings: Settings) -> Finding:
    from app.jobs.celery_app import make_celery

    with make_celery(settings.redis_url) as celery:
        found = celery.control.ping(timeout=WORKERS_SECONDS)
    if found:
        return Finding("workers", "ok", f"{len(found)} workers answer")
    fix = "systemctl enable --now teahouse-worker@1 teahouse-worker@2"
    return Finding("no_workers", "error", "No worker answers: nobody writes answers.", fix)
