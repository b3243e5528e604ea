"""The description says how each operation can refuse; the reference is readable under our policy."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from fastapi.security import HTTPBearer

from app.api.docs import install_docs, type_name
from app.api.openapi import openapi_document, openapi_json, operations, problems
from app.api.v1.schemas.base import Id, Page, Schema, Timestamp, View
from app.http.edge import install_edge
from app.main import create_app
from tests.http.conftest import settings_for
from tests.http.edge_app import serve


class ThingCreate(Schema):
    name: str
    parent_id: Id | None = None


class ThingView(View):
    id: Id
    name: str
    created_at: Timestamp


def make_app(tmp_path: Any) -> FastAPI:
    app = FastAPI(title="Teahouse", version="1.2.3", openapi_url=None, docs_url=None, redoc_url=None)
    router = APIRouter(prefix="/api/v1/things", tags=["things"])
    signed_in = Depends(HTTPBearer(auto_error=False))

    @router.get("", operation_id="listThings", response_model=Page[ThingView], dependencies=[signed_in])
    async def list_things(limit: Annotated[int, Query(ge=1, le=500, description="<b>how many</b>")] = 50) -> None:
        """All things."""

    @router.post("", operation_id="createThing", status_code=201, response_model=ThingView, responses=problems(409))
    async def create_thing(body: ThingCreate) -> None:
        """A new thing."""

    @router.get("/{thing_id}", operation_id="getThing", response_model=ThingView, dependencies=[signed_in])
    async def get_thing(thing_id: str) -> None:
        """One thing."""

    @app.get("/page")
    async def page() -> None: ...

    app.include_router(router)
    install_docs(app)
    install_edge(app, settings_for(tmp_path))
    return app


@pytest.fixture
def app(tmp_path: Any) -> FastAPI:
    return make_app(tmp_path)


def _statuses(app: FastAPI, operation_id: str) -> set[str]:
    found = {operation["operationId"]: operation for _, _, operation in operations(openapi_document(app))}
    return set(found[operation_id]["responses"])


def test_only_the_api_is_described(app: FastAPI) -> None:
    assert set(openapi_document(app)["paths"]) == {"/api/v1/things", "/api/v1/things/{thing_id}"}


def test_refusals_follow_from_the_signature(app: FastAPI) -> None:
    always = {"400", "414", "422", "429", "431", "500", "503"}
    assert _statuses(app, "listThings") == always | {"200", "401", "403"}
    assert _statuses(app, "getThing") == always | {"200", "401", "403", "404"}
    assert _statuses(app, "createThing") == always | {"201", "409", "413", "415", "507"}


def test_every_refusal_is_a_problem(app: FastAPI) -> None:
    document = openapi_document(app)
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                content = response["content"]
                assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    schemas = document["components"]["schemas"]
    assert {"Problem", "ProblemError", "ThingView"} <= set(schemas)
    assert "HTTPValidationError" not in schemas
    assert schemas["Problem"]["required"] == ["type", "title", "status", "detail", "instance", "request_id"]


def test_the_file_is_the_same_each_time(tmp_path: Any) -> None:
    assert openapi_json(make_app(tmp_path)) == openapi_json(make_app(tmp_path))


async def test_the_description_and_the_reference_are_served(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        document = await client.get("/api/v1/openapi.json")
        assert document.headers["content-type"] == "application/json"
        assert document.json()["info"]["version"] == "1.2.3"
        page = await client.get("/api/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for operation_id in ("listThings", "createThing", "getThing"):
        assert f'id="{operation_id}"' in page.text
    assert "&lt;b&gt;how many" in page.text
    for forbidden in ("<script", "style=", "http://", "https://", "onclick"):
        assert forbidden not in page.text


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/Job"}, "Job"),
        ({"type": "string", "format": "uuid"}, "string (uuid)"),
        ({"anyOf": [{"type": "array", "items": {"$ref": "#/x/Job"}}, {"type": "null"}]}, "Job[] or null"),
        ({"enum": ["a", "b"]}, "a | b"),
        ({"const": "a"}, "“a”"),
        ({}, "any"),
    ],
)
def test_a_schema_is_said_in_a_few_words(schema: dict[str, Any], words: str) -> None:
    assert type_name(schema) == words


@pytest.mark.browser
def test_A50_the_reference_breaks_no_rule_of_the_policy(app: FastAPI) -> None:
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import ARGUMENTS, CHROMIUM

    with serve(app) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("requestfailed", lambda failed: complaints.append(failed.url))
        page.goto(f"http://localhost:{server.port}/api/docs")
        family = page.evaluate("getComputedStyle(document.querySelector('code')).fontFamily")
        assert "ui-monospace" in family, "the stylesheet was not applied"
        browser.close()
    assert [text for text in complaints if "favicon" not in text and "404" not in text] == []


def test_programs_that_have_a_token_need_no_oauth() -> None:
    """Generators make of OAuth2 alone a client that sends the token without its word."""
    document = openapi_document(create_app())
    secured = [operation["security"] for _, _, operation in operations(document) if "security" in operation]
    assert len(secured) > 30
    assert all(security == [{"OAuth2PasswordBearer": []}, {"BearerToken": []}] for security in secured)
