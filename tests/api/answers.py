"""What tests ask of an answer."""

import httpx


def cookies_of(answer: httpx.Response) -> list[str]:
    return answer.headers.get_list("set-cookie")


def is_problem(answer: httpx.Response, status: int, code: str) -> bool:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == f"urn:teahouse:{code}" and body["status"] == status, body
    assert body["request_id"] == answer.headers["x-request-id"]
    return True
