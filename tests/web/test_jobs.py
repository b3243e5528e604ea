"""Everybody's jobs, for administrators; never what is written in them."""

import asyncio
import re

from tests.api.serving import Served, titles_are_made
from tests.web.visitor import MISSING, Visitor, without_tokens

ENDLESS = "A secret recipe [[tokens=endless rate=50]]"
FAILING = "Another secret [[tokens=5 fault=status:400 times=1]]"


def jobs_in(page: str, owner: str) -> list[str]:
    """Ids of the jobs that are that person's."""
    rows = re.findall(r'<li id="job-([0-9a-f-]{36})" class="entry">(.*?)</li>', page, re.S)
    return [job_id for job_id, row in rows if owner in row]


async def listed(dana: Visitor, owner: str, query: str = "") -> list[str]:
    return jobs_in((await dana.get(f"/admin/jobs{query}")).text, owner)


async def ended(dana: Visitor, owner: str, status: str) -> str:
    for _ in range(100):
        if found := await listed(dana, owner, f"?status={status}&kind=answer"):
            return found[0]
        await asyncio.sleep(0.05)
    raise AssertionError(status)


async def test_a_running_answer_is_listed_without_its_words_and_cancelled(dana: Visitor, alice: Visitor) -> None:
    await alice.ask(ENDLESS)
    job_id = await ended(dana, alice.name, "running")
    page = (await dana.get("/admin/jobs")).text
    assert "ollama/scripted:latest" in page and "secret" not in page and 'hx-trigger="every 2s"' in page
    answer = await dana.post(f"/admin/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/jobs")
    assert await ended(dana, alice.name, "cancelled") == job_id
    assert (await dana.post(f"/admin/jobs/{job_id}/cancel")).status_code == 303, "the same once more"


async def test_a_failed_answer_says_why_and_is_tried_again_for_its_owner(dana: Visitor, alice: Visitor) -> None:
    path = await alice.answered(FAILING)
    job_id = await ended(dana, alice.name, "failed")
    page = (await dana.get("/admin/jobs?status=failed")).text
    assert f"/admin/jobs/{job_id}/retry" in page and 'class="field-error"' in page
    answer = await dana.post(f"/admin/jobs/{job_id}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/jobs")
    await ended(dana, alice.name, "succeeded")
    assert (await alice.get(path)).status_code == 200
    assert (await dana.get(path)).status_code == 404, "it is still only hers"
    assert (await dana.post(f"/admin/jobs/{job_id}/retry")).status_code == 409, "it is whole now"


async def test_what_has_not_failed_is_not_tried_again(dana: Visitor, alice: Visitor) -> None:
    await alice.answered()
    job_id = await ended(dana, alice.name, "succeeded")
    assert (await dana.post(f"/admin/jobs/{job_id}/retry")).status_code == 409


async def test_the_list_is_filtered_by_status_and_kind(dana: Visitor, alice: Visitor) -> None:
    await alice.answered()
    assert await listed(dana, alice.name, "?status=succeeded&kind=answer")
    assert not await listed(dana, alice.name, "?status=failed")
    assert not await listed(dana, alice.name, "?kind=model_pull")
    assert await listed(dana, alice.name, "?status=nonsense&kind=nonsense"), "as without"
    assert (await dana.get("/admin/jobs?before=nonsense")).status_code == 404
    newest = (await listed(dana, alice.name))[0]
    assert newest not in await listed(dana, alice.name, f"?before={newest}")


async def test_the_part_that_refreshes_is_a_part_of_the_page(dana: Visitor, alice: Visitor, served: Served) -> None:
    await alice.answered()
    await titles_are_made(served)
    fragment = without_tokens((await dana.get("/admin/jobs", target="jobs")).text)
    assert "<html" not in fragment and jobs_in(fragment, alice.name)
    assert fragment.strip() in without_tokens((await dana.get("/admin/jobs")).text)


async def test_jobs_of_others_are_for_administrators(dana: Visitor, alice: Visitor, served: Served) -> None:
    await alice.answered()
    job_id = await ended(dana, alice.name, "succeeded")
    for verb in ("cancel", "retry"):
        assert (await alice.post(f"/admin/jobs/{job_id}/{verb}")).status_code == 403
        assert (await dana.get(f"/admin/jobs/{job_id}/{verb}")).status_code == 405
        for nothing in (MISSING, "nonsense"):
            assert (await dana.post(f"/admin/jobs/{nothing}/{verb}")).status_code == 404
