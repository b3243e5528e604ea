"""The settings of a conversation, and what the composer says of models and their window."""

from typing import Any

import pytest
from sqlalchemy import text

from app.providers.base import ModelInfo
from app.providers.catalog import ModelList, ModelProblem
from app.web.context_use import context_use
from app.web.model_choice import choices_of
from tests.api.serving import Served
from tests.web.visitor import MISSING, Visitor

SETTINGS = {"system_prompt": "Be brief.", "temperature": "0,5", "top_k": "40", "seed": "7", "think": "low"}


async def kept(served: Served, path: str) -> Any:
    async def read() -> Any:
        async with served.services.database.read() as session:
            query = text("SELECT system_prompt, options FROM conversations WHERE id = :id")
            return (await session.execute(query, {"id": path.rpartition("/")[2]})).one()

    return await served.run(read)


async def test_settings_are_kept_and_shown(served: Served, alice: Visitor) -> None:
    path = await alice.answered()
    done = await alice.post(f"{path}/options", **SETTINGS)
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert tuple(await kept(served, path)) == (
        "Be brief.",
        '{"temperature":0.5,"top_k":40,"seed":7,"think":"low"}',
    )
    page = (await alice.get(path)).text
    assert "Saved." in page and ">Be brief.</textarea>" in page and 'value="0.5"' in page
    assert 'class="mark"' in page and '<option value="low" selected>' in page
    await alice.post(f"{path}/options")
    assert tuple(await kept(served, path)) == ("", "{}")
    assert 'class="mark"' not in (await alice.get(path)).text


async def test_for_htmx_only_the_settings_come_back(alice: Visitor) -> None:
    path = await alice.answered()
    part = await alice.post(f"{path}/options", target="options", **SETTINGS)
    assert part.status_code == 200 and part.text.lstrip().startswith('<details id="options"')
    assert "<html" not in part.text and " open>" not in part.text.partition(">")[0] + ">"


@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [
        ("temperature", "7", "A number from 0 to 2."),
        ("temperature", "warm", "A number from 0 to 2."),
        ("temperature", "nan", "A number from 0 to 2."),
        ("top_p", "-0.1", "A number from 0 to 1."),
        ("max_tokens", "1.5", "A whole number from 1 to 131,072."),
        ("seed", "99999999999999999999", "A whole number from 0 to 2,147,483,647."),
        ("system_prompt", "x" * 32_001, "at most 32,000 characters"),
        ("system_prompt", "a\0b", "cannot be stored"),
    ],
)
async def test_what_is_out_of_range_is_said_beside_its_field(
    name: str, typed: str, says: str, served: Served, alice: Visitor
) -> None:
    path = await alice.answered()
    whole = await alice.post(f"{path}/options", **{name: typed})
    part = await alice.post(f"{path}/options", target="options", **{name: typed})
    for answer in (whole, part):
        assert answer.status_code == 422 and says in answer.text and typed in answer.text
        assert f'id="option-{name}-note" class="field-error"' in answer.text
    assert part.headers["hx-retarget"] == "#options" and '<details id="options" class="options"  open>' in part.text
    assert tuple(await kept(served, path)) == ("", "{}")


async def test_what_the_form_does_not_show_stays(served: Served, alice: Visitor) -> None:
    path = await alice.answered()

    async def write() -> None:
        async with served.services.database.transaction() as session:
            query = text("UPDATE conversations SET options = :options WHERE id = :id")
            options = '{"stop":["END"],"seed":1}'
            await session.execute(query, {"id": path.rpartition("/")[2], "options": options})

    await served.run(write)
    await alice.post(f"{path}/options", temperature="1")
    assert (await kept(served, path))[1] == '{"stop":["END"],"temperature":1.0}'


async def test_settings_are_the_owners_only(alice: Visitor, charlie: Visitor) -> None:
    path = await alice.answered()
    for there in (path, f"/c/{MISSING}", "/c/1"):
        assert (await charlie.post(f"{there}/options", seed="1")).status_code == 404
        assert (await charlie.get(f"{there}/options")).status_code == 404
    assert (await alice.client.post(f"{path}/options", data={"seed": "1"})).status_code == 403
    assert (await alice.get(f"{path}/options")).headers["location"] == path


async def test_the_first_message_takes_the_settings_along(served: Served, alice: Visitor) -> None:
    answer = await alice.post("/", content="Hello [[tokens=2]]", **SETTINGS)
    assert (await kept(served, answer.headers["location"]))[0] == "Be brief."
    refused = await alice.post("/", content="Hello", seed="x", system_prompt="Kept")
    assert refused.status_code == 422 and "A whole number" in refused.text
    assert ">Hello</textarea>" in refused.text and ">Kept</textarea>" in refused.text
    assert '<details class="options"  open>' in refused.text


def test_a_model_whose_server_is_away_is_still_listed() -> None:
    listed = ModelList(
        [ModelInfo("ollama", "a", loaded=True), ModelInfo("openai", "b")], [ModelProblem("openai", "It is away.")]
    )
    choices = choices_of(listed, "ollama/gone", "openai/b")
    assert [(label, [(c.id, c.state) for c in group]) for label, group in choices.groups] == [
        ("Ollama", [("ollama/a", "loaded"), ("ollama/gone", "not found")]),
        ("OpenAI-compatible server", [("openai/b", "unreachable")]),
    ]


@pytest.mark.parametrize(
    ("used", "length", "level", "percent"),
    [(100, 8192, "", 1), (800, 1000, "warn", 80), (949, 1000, "warn", 94), (950, 1000, "bad", 95), (9, 3, "bad", 100)],
)
def test_a_window_that_fills_up_is_marked(used: int, length: int, level: str, percent: int) -> None:
    use = context_use([("ollama/a", {"prompt_tokens": used, "completion_tokens": 0, "context_length": length})], [])
    assert use is not None and (use.level, use.percent) == (level, percent)
    assert use.is_over is (used > length), "over is not “almost full”"


def test_what_is_not_known_is_not_shown() -> None:
    counted = {"prompt_tokens": 5, "completion_tokens": 6, "context_length": None}
    assert context_use([("ollama/a", None)], []) is None
    assert context_use([("ollama/a", counted)], []) is None
    use = context_use([("ollama/a", counted), ("ollama/a", None)], [ModelInfo("ollama", "a", 100)])
    assert use is not None and (use.used, use.length) == (11, 100), "an answer that failed counts nothing"
