"""Models as administrators see them: what each server offers, and Ollama's fetched, looked at, dropped, unloaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from app.clock import utcnow
from app.errors import AppError
from app.http.csrf import verify_csrf
from app.http.deps import Services
from app.jobs.control import list_jobs
from app.jobs.idempotency import check_key, fingerprint
from app.providers import pulling
from app.providers.base import MAX_LISTED_ID, ModelInfo
from app.providers.catalog import ModelList, ModelProblem
from app.web.admin import AdminVisit
from app.web.context import Visit
from app.web.flash import flash
from app.web.forms import FormState, Key, ModelId, Text, refused
from app.web.jobs import JobRow, rows_of
from app.web.model_choice import provider_name

router = APIRouter(prefix="/admin/models")
checked = [Depends(verify_csrf)]

AskedModel = Annotated[str, Query(max_length=MAX_LISTED_ID)]
PULLS = 5
SHOWN_FOR = timedelta(hours=1)  # how long the end of a download is still news


@dataclass(frozen=True, slots=True)
class Server:
    """`problem`: what is wrong with it. `keeps`: models can be fetched to it and dropped. `is_demo`: for trials."""

    name: str
    models: Sequence[ModelInfo]
    problem: ModelProblem | None
    keeps: bool
    is_demo: bool


@router.get("")
async def index(visit: AdminVisit) -> Response:
    return await _page(visit)


async def _page(visit: Visit, form: FormState | None = None) -> Response:
    sidebar = await visit.sidebar()
    # The session of the request may have looked before something was asked for.
    async with visit.services.database.read() as session:
        recent = await list_jobs(session, None, kind="model_pull", limit=PULLS)
        pulls = [row for row in await rows_of(session, recent) if _is_news(row)]
    await visit.session.close()
    servers = servers_of(visit.services, await visit.services.providers.models(fresh=True))
    return visit.page(
        "chat_models/index.html",
        blocks=["models"],
        sidebar=sidebar,
        tab="models",
        servers=servers,
        has_ollama=any(server.keeps for server in servers),
        pulls=pulls,
        refreshes=any(not row.has_ended for row in pulls),
        form=form,
    )


def _is_news(row: JobRow) -> bool:
    return row.job.finished_at is None or utcnow() - row.job.finished_at < SHOWN_FOR


def servers_of(services: Services, listed: ModelList) -> list[Server]:
    """Those that offer something or were asked for."""
    problems = {problem.provider: problem for problem in listed.problems}
    names = dict.fromkeys([*(model.provider for model in listed.items), *problems])
    return [
        Server(
            provider_name(name),
            [model for model in listed.items if model.provider == name],
            problems.get(name),
            name == pulling.PROVIDER,
            services.providers.is_demo(name),
        )
        for name in names
    ]


@router.post("/pull", dependencies=checked)
async def pull(visit: AdminVisit, name: Text = "", idempotency_key: Key = "") -> Response:
    """A job that downloads the model; the page shows how far it is."""
    name = name.strip()
    key = check_key(idempotency_key) if idempotency_key else ""
    once = pulling.PullOnce(key, fingerprint("POST", visit.request.url.path, name.encode()), lambda job, place: job.id)
    services = visit.services
    try:
        async with services.database.transaction() as session:
            await pulling.start_pull(
                session, services.providers, services.engine.enqueued, visit.principal.user_id, name, once
            )
    except AppError as error:
        return await _page(visit, refused(error, name=name))
    return _back(visit, "pull_began")


@router.get("/show")
async def show(visit: AdminVisit, id: AskedModel = "") -> Response:
    """What the server tells of the model, in its own words."""
    sidebar = await visit.sidebar()
    await visit.session.close()
    details = await pulling.show_model(visit.services.providers, id)
    listed = await visit.services.providers.models()
    model = next((model for model in listed.items if model.id == id), None)
    return visit.page("chat_models/show.html", sidebar=sidebar, tab="models", id=id, model=model, details=details)


@router.get("/delete")
async def ask_to_delete(visit: AdminVisit, id: AskedModel = "") -> Response:
    """Names what will be lost."""
    pulling.name_of(id)
    sidebar = await visit.sidebar()
    await visit.session.close()
    listed = await visit.services.providers.models(fresh=True)
    model = next((model for model in listed.items if model.id == id), None)
    return visit.page("chat_models/delete.html", sidebar=sidebar, tab="models", id=id, model=model)


@router.post("/delete", dependencies=checked)
async def delete(visit: AdminVisit, id: ModelId = "") -> Response:
    await visit.session.close()
    await pulling.delete_model(visit.services.providers, id)
    return _back(visit, "model_deleted")


@router.post("/unload", dependencies=checked)
async def unload(visit: AdminVisit, id: ModelId = "") -> Response:
    await visit.session.close()
    await pulling.unload_model(visit.services.providers, id)
    return _back(visit, "model_unloaded")


def _back(visit: Visit, code: str) -> Response:
    response = RedirectResponse("/admin/models", 303)
    flash(visit.request, response, code)
    return response
