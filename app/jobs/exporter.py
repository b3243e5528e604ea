"""Where workers tell Prometheus their numbers. Web processes do so at their own address; a machine may have none."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from app.db.lookup import Lookup
from app.errors import AppError
from app.jobs.backlog import backlog, families
from app.observability import metrics
from app.settings import LOCAL_HOSTS

if TYPE_CHECKING:
    from aiohttp import web

logger = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
BACKLOG_SECONDS = 2.0
AGAIN_SECONDS = 2.0


async def exposition(lookup: Lookup | None) -> tuple[bytes, str]:
    """The numbers of this machine's processes, and what waits and runs as the database has it: content, media type.

    If the database does not answer, the other numbers are still there.
    """
    told: Sequence[metrics.Family] = []
    with contextlib.suppress(AppError, TimeoutError):
        async with asyncio.timeout(BACKLOG_SECONDS):
            told = families(await backlog(lookup)) if lookup is not None else []
    return await asyncio.to_thread(metrics.exposition, told)


@contextlib.asynccontextmanager
async def exporting(port: int, lookup: Lookup) -> AsyncIterator[None]:
    """Answer `/metrics` at this port meanwhile; 0: nowhere.

    One of a machine's workers does it for all of them. The others take its place when it has ended.
    """
    if not port:
        yield
        return

    from aiohttp import web  # web processes need none of it

    async def answer(request: web.Request) -> web.Response:
        if request.url.host not in LOCAL_HOSTS:  # a page of another site, whose name now leads here
            raise web.HTTPMisdirectedRequest
        content, media_type = await exposition(lookup)
        return web.Response(body=content, headers={"Content-Type": media_type})

    application = web.Application()
    application.router.add_get("/metrics", answer)
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    listening = asyncio.create_task(_listen(runner, port), name="metrics")
    try:
        yield
    finally:
        listening.cancel()
        await runner.cleanup()


async def _listen(runner: "web.AppRunner", port: int) -> None:
    from aiohttp import web

    told = False
    while True:
        try:
            await web.TCPSite(runner, ADDRESS, port).start()
        except OSError as error:
            if not told:
                logger.info("port %s is taken (%s): another process serves the metrics", port, error.strerror)
            told = True
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            logger.info("metrics at http://%s:%s/metrics", ADDRESS, port)
            return
