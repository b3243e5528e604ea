"""`teahouse worker`: run jobs for the web processes, on this machine or another."""

import typer

from app.cli.db import migrate
from app.cli.secret import check_secret
from app.cli.terminal import Exit, fail, read_settings, say

AT_ONCE = 100
BROKER_SECONDS = 3.0
QUEUES = ("answers", "titles", "downloads")


def worker(
    queues: str = typer.Option(",".join(QUEUES), help="What it runs: answers, titles, downloads."),
    at_once: int = typer.Option(AT_ONCE, min=1, help="Jobs at once in this process; TEAHOUSE_MODEL_SLOTS counts too."),
) -> None:
    """Run jobs. Needs TEAHOUSE_JOBS_ENGINE=celery, PostgreSQL and Redis; web processes then run none.

    \b
    One process writes many answers; start one per core, on as many machines as you like:
      teahouse worker
      teahouse worker --queues titles,downloads
    """
    settings = read_settings()
    if settings.jobs_engine != "celery":
        fail("TEAHOUSE_JOBS_ENGINE: workers are for the celery engine; the embedded one needs none", Exit.bad_settings)
    named = [name.strip() for name in queues.split(",") if name.strip()]
    if not named or set(named) - set(QUEUES):
        fail(f"--queues takes {', '.join(QUEUES)}", Exit.bad_settings)
    migrate(settings)
    check_secret(settings)
    _check_broker(settings.redis_url)
    from app.job_handlers import claims_of, running_engine
    from app.jobs.celery_worker import run_worker
    from app.observability.logging import setup_logging

    setup_logging(settings)
    say(f"Teahouse worker for {', '.join(named)}: {at_once} at once. Ctrl-C stops it; no answer is lost.")
    code = run_worker(
        settings.redis_url,
        lambda: running_engine(settings, claims_of(named, at_once)),
        named,
        log_level=settings.log_level,
    )
    raise typer.Exit(code)


def _check_broker(redis_url: str) -> None:
    """A wrong password stays wrong; a Redis that is away comes back, and the worker looks by itself meanwhile."""
    from redis import Redis
    from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

    client = Redis.from_url(redis_url, socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS)
    try:
        client.ping()
    except (AuthenticationError, NoPermissionError) as error:
        fail(f"TEAHOUSE_REDIS_URL: Redis refuses it: {error}", Exit.bad_settings)
    except (RedisError, OSError) as error:
        say(f"Redis does not answer ({error}). Until it does this worker looks for jobs every two seconds.", error=True)
    finally:
        client.close()
