"""The largest requests of somebody without an account are refused or answered, each as what it is. (A71)"""

import httpx
import pytest

from app.http.request_body import MAX_FORM_OF_STRANGER
from tests.attackers.strangers import FORM, STRANGERS, Asked
from tests.web.visitor import Visitor, token_in


@pytest.mark.parametrize("asked", STRANGERS, ids=lambda asked: asked.name)
async def test_A71_no_request_of_a_stranger_is_an_error_of_ours(nobody: httpx.AsyncClient, asked: Asked) -> None:
    token = token_in((await nobody.get("/register")).text)
    headers = {"Content-Type": asked.type, **dict(asked.headers)}
    try:
        answer = await nobody.request(asked.method, asked.path, content=asked.make(token), headers=headers)
    except (httpx.WriteError, httpx.ReadError):
        return  # refused before all of it was sent
    assert answer.status_code in (200, 303, 400, 401, 403, 409, 413, 422, 429, 431), answer.text[:200]
    assert (await nobody.get("/register")).status_code == 200


async def test_a_form_is_as_long_as_a_message_for_who_is_signed_in_alone(
    nobody: httpx.AsyncClient, alice: Visitor
) -> None:
    long = {"content": "é" * (MAX_FORM_OF_STRANGER // 6 + 1), "idempotency_key": "a-long-message"}
    assert (await alice.post("/", **long)).status_code == 303
    token = token_in((await nobody.get("/register")).text)
    refused = await nobody.post("/", data={"csrf_token": token, **long}, headers={"Content-Type": FORM})
    assert refused.status_code == 413
    forged = {"Cookie": "teahouse_session=0198c0de-0000-7000-8000-000000000000.x.y"}
    assert (await nobody.post("/", data={"csrf_token": token, **long}, headers=forged)).status_code == 413
