"""Language, theme and clock of a page."""

import httpx
import pytest

from tests.api.serving import Served
from tests.web.visitor import Visitor


async def test_signed_out_the_browser_decides_on_the_language(alice: Visitor, nobody: httpx.AsyncClient) -> None:
    page = await nobody.get("/login", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert '<html lang="zh-CN">' in page.text and "登录" in page.text
    assert "accept-language" in page.headers["vary"].lower()


async def test_the_state_of_a_model_is_told_in_the_readers_language(alice: Visitor, served: Served) -> None:
    await served.run(lambda: served.services.providers.models(fresh=True))
    await alice.post("/settings/language", locale="zh-CN")
    answer = await alice.post("/", content="Tea?", model="ollama/gone", idempotency_key="a-model-that-is-gone")
    page = (await alice.get(answer.headers["location"])).text
    assert "gone · 未找到" in page and "· not found" not in page


@pytest.mark.parametrize(("theme", "expected"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"')])
async def test_a_theme_that_was_chosen_stands_in_the_page(alice: Visitor, theme: str, expected: str) -> None:
    alice.client.cookies.set("teahouse_theme", theme)
    assert expected in (await alice.get("/")).text


@pytest.mark.parametrize("theme", ["system", "pink", '"><script>', ""])
async def test_the_system_decides_where_nothing_known_was_chosen(alice: Visitor, theme: str) -> None:
    alice.client.cookies.set("teahouse_theme", theme)
    page = await alice.get("/")
    assert "data-theme" not in page.text and "<script>" not in page.text


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "../../etc/passwd", "Nowhere/Land", "%00", "x" * 4000])
async def test_a_zone_of_any_spelling_draws_the_page(alice: Visitor, zone: str) -> None:
    path = await alice.answered()
    alice.client.cookies.set("teahouse_zone", zone)
    assert (await alice.get(path)).status_code == 200


async def test_pages_are_compressed_for_who_takes_it(alice: Visitor) -> None:
    packed = await alice.client.get("/", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and "accept-encoding" in packed.headers["vary"].lower()
    plain = await alice.client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and "<html" in plain.text
