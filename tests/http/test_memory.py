"""What a server that people have used still holds, seen from outside."""

import asyncio
from pathlib import Path

import aiohttp

from tests.benchmarks.gauges import family, pss_mib
from tests.benchmarks.servers import start_teahouse
from tests.ports import free_port

ROUNDS, TOGETHER = 8, 6
HASH_MIB = 19


async def test_passwords_leave_no_memory_behind(tmp_path: Path) -> None:
    server = start_teahouse(tmp_path, "http://127.0.0.1:9", free_port())
    try:
        async with aiohttp.ClientSession() as http:

            async def sign_in(number: int) -> int:
                form = {"username": f"nobody{number}", "password": "correct horse battery"}
                async with http.post(f"{server.url}/api/v1/auth/login", data=form) as answer:
                    return answer.status

            assert await sign_in(0) == 401  # loads what signing in needs
            before = sum(map(pss_mib, family(server.pid)))
            for turn in range(ROUNDS):
                statuses = await asyncio.gather(*[sign_in(turn * TOGETHER + n) for n in range(TOGETHER)])
                assert set(statuses) <= {401, 503} and 401 in statuses
            assert sum(map(pss_mib, family(server.pid))) - before < HASH_MIB / 2
    finally:
        server.stop()
