"""What a thousand people cost who follow their own changes, of which there are none."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.benchmarks.servers import Server

PEOPLE, SECONDS = 1000, 30.0


@asynccontextmanager
async def _following(url: str, headers: Mapping[str, str]) -> AsyncIterator[None]:
    """Streams that are read and not looked at."""
    address = urlsplit(url)
    lines = ["GET /api/v1/events HTTP/1.1", f"Host: {address.netloc}", *map(": ".join, headers.items())]
    request = "\r\n".join([*lines, "", ""])

    async def follow(at_most: asyncio.Semaphore) -> asyncio.StreamWriter:
        async with at_most:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(request.encode())
            assert (await reader.readline()).split()[1] == b"200"
            await reader.readuntil(b"\nid: ")
        return writer

    at_most = asyncio.Semaphore(20)
    streams = await asyncio.gather(*(follow(at_most) for _ in range(PEOPLE)))
    try:
        yield
    finally:
        for stream in streams:
            stream.close()


async def run(server: Server, headers: Mapping[str, str]) -> dict[str, float]:
    """`following_cpu_percent` of a core for all, beyond what the server takes alone; `following_kb` for each."""
    alone = await _cpu_percent(server)
    memory = server.resident_mib()
    async with _following(server.url, headers):
        grown = server.resident_mib() - memory
        together = await _cpu_percent(server)
    return {
        "following_cpu_percent": round(together - alone, 2),
        "following_kb": round(grown * 1024 / PEOPLE, 1),
    }


async def _cpu_percent(server: Server) -> float:
    before = server.cpu_seconds()
    await asyncio.sleep(SECONDS)
    return (server.cpu_seconds() - before) / SECONDS * 100
