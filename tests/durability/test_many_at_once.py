"""Many at once over two processes: nothing lost, nothing doubled, order kept, the same text for everybody."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.durability.client import Client
from tests.durability.processes import model_process, server_process
from tests.effort import effort
from tests.model_server import answer_for

pytestmark = [pytest.mark.kill, pytest.mark.timeout(240), pytest.mark.usefixtures("kind_of_database")]
CONVERSATIONS = effort(15, 50)  # four answers each


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(120))


@pytest.mark.campaign
async def test_many_answers_at_once_over_two_processes(tmp_path: Path) -> None:
    with model_process() as model, server_process(tmp_path / "data", model.url, workers=2) as server:
        async with _session() as http:
            client = Client(http, server.url, "alice")
            await client.sign_in()
            conversations = [await client.conversation() for _ in range(CONVERSATIONS)]

            async def converse(number: int) -> None:
                """Four questions in one conversation, sent without waiting for the answers."""
                asked = []
                for turn in range(4):
                    content = f"question {turn} of {number} [[tokens=30 rate=60 first=50]]"
                    asked.append((content, await client.send(conversations[number], content, f"{number}-{turn}")))
                seen = await asyncio.gather(*(client.follow(accepted["job"]["id"]) for _, accepted in asked))
                window = await client.get(f"/conversations/{conversations[number]}/messages")
                expected = [text for content, _ in asked for text in (content, "".join(answer_for(content)))]
                assert [message["content"] for message in window["items"]] == expected
                assert [viewer.text for viewer in seen] == expected[1::2]
                started = [viewer.done["job"]["started_at"] for viewer in seen if viewer.done]
                finished = [viewer.done["job"]["finished_at"] for viewer in seen if viewer.done]
                assert all(end <= begin for end, begin in zip(finished, started[1:], strict=False))

            await asyncio.gather(*map(converse, range(CONVERSATIONS)))


async def test_twenty_clients_that_leave_and_return_end_with_the_same_text(tmp_path: Path) -> None:
    with model_process() as model, server_process(tmp_path / "data", model.url, workers=2) as server:
        async with _session() as http:
            client = Client(http, server.url, "alice")
            await client.sign_in()
            content = "a long question [[tokens=100 rate=60 first=50 text=unicode]]"
            accepted = await client.send(await client.conversation(), content, "one")
            job = accepted["job"]["id"]
            viewers = await asyncio.gather(*(client.follow(job, leave=True) for _ in range(20)))
            expected = "".join(answer_for(content))
            for seen in viewers:
                assert seen.text == expected
                assert sorted(set(seen.ids)) == seen.ids
                assert not seen.restarts


async def test_F31_one_key_from_twenty_racing_clients_makes_one_job(tmp_path: Path) -> None:
    with model_process() as model, server_process(tmp_path / "data", model.url, workers=2) as server:
        async with _session() as http:
            client = Client(http, server.url, "alice")
            await client.sign_in()
            conversation = await client.conversation()
            accepted = await asyncio.gather(*(client.send(conversation, "hello", "the-key") for _ in range(20)))
            assert all(answer == accepted[0] for answer in accepted)
            jobs = await client.get("/jobs?kind=answer")
            assert [job["id"] for job in jobs["items"]] == [accepted[0]["job"]["id"]]
