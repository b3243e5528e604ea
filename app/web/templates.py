"""The Jinja environment, and the one function that decides between page and fragment."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.responses import HTMLResponse, Response

from app import i18n
from app.accounts.principal import Principal
from app.generations.options import MAX_SYSTEM_PROMPT
from app.http.assets import APP_IS_BUILT, asset_url, vite_asset
from app.http.csrf import csrf_token, set_csrf_cookie
from app.ids import new_id
from app.web import flash, preferences
from app.web.filters import FILTERS
from app.web.forms import MAX_CONTENT, FormState

FOLDER = Path(__file__).resolve().parents[2] / "templates"
VARY = "HX-Request, HX-Target, Cookie, Accept-Language, Accept-Encoding"
MIN_COMPRESSED = 400  # below that the header that says so takes what is won

environment = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,  # for every ending: nothing here is anything but HTML
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters.update(FILTERS)
environment.globals.update(
    asset_url=asset_url,
    vite_asset=vite_asset,
    new_key=new_id,
    preferences=preferences.current.get,
    app_is_built=APP_IS_BUILT,
    most_of_message=MAX_CONTENT,
    most_of_system_prompt=MAX_SYSTEM_PROMPT,
)
environment.add_extension("jinja2.ext.i18n")
# Added by the extension, so unknown to the types.
environment.install_gettext_callables(  # type: ignore[attr-defined]
    i18n.gettext, i18n.ngettext, newstyle=True, pgettext=i18n.pgettext
)


def is_htmx(request: Request) -> bool:
    """Says what shape the answer should have; it never opens anything."""
    return request.headers.get("hx-request") == "true"


def page(
    request: Request,
    name: str,
    *,
    principal: Principal | None,
    blocks: Sequence[str] = (),
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    form: FormState | None = None,
    **context: Any,
) -> Response:
    """The page, or for an HTMX request that targets one of `blocks` that block alone.

    A block is named as the id of the element that it fills. A refused form decides the status.
    """
    preferences.enter(request, principal)
    template = environment.get_template(name)
    form = form or FormState(status=status)
    context |= {"principal": principal, "csrf": csrf_token(request, principal), "form": form}
    target = _target_id(request)
    notice = None if is_htmx(request) else flash.flashed(request)
    context["notice"] = notice and (notice[0], flash.NOTICES[notice[0]], notice[1])
    html = render_block(template, target, context) if target in blocks else template.render(context)
    response = html_response(request, html, form.status, {**form.headers, **(headers or {})})
    set_csrf_cookie(request, response)
    if notice:
        flash.forget(response)
    return response


def html_response(request: Request, html: str, status: int, headers: Mapping[str, str]) -> Response:
    """Compressed where the browser takes it. The token in a page is made anew each second, so its length tells nothing
    that could be collected."""
    body = html.encode()
    packing = {}
    if len(body) >= MIN_COMPRESSED and "gzip" in request.headers.get("accept-encoding", ""):
        body, packing = gzip.compress(body, 5, mtime=0), {"Content-Encoding": "gzip"}
    return HTMLResponse(body, status, {"Vary": VARY, **packing, **headers})


def render_block(template: Template, block: str, context: dict[str, Any]) -> str:
    return "".join(template.blocks[block](template.new_context(context)))


def _target_id(request: Request) -> str:
    """htmx 4 sends `tag#id`."""
    if not is_htmx(request):
        return ""
    return unquote(request.headers.get("hx-target", "").partition("#")[2])
