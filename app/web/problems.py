"""A problem as people see it: a page, or a notice in the page they are on."""

from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.web import preferences
from app.web.forms import safe_next
from app.web.templates import environment, html_response, is_htmx


async def render_problem_page(request: Request, problem: dict[str, Any], status: int) -> Response:
    """What `app.state.render_problem_page` is: every failure of a page comes through here."""
    has_ended = problem["type"] == "urn:teahouse:sign_in_ended"
    if status == 401 and not has_ended:
        return _to_sign_in(request, problem)
    preferences.enter(request, getattr(request.state, "principal", None))
    sign_in = sign_in_url(_page_of(request)) if has_ended else None
    if is_htmx(request):
        html = environment.get_template("errors/_toast.html").render(problem=problem, sign_in=sign_in)
        # htmx 4 swaps errors like anything else: this one goes to its own place.
        return html_response(request, html, status, {"HX-Retarget": "#toasts", "HX-Reswap": "innerHTML"})
    typed = getattr(request.state, "typed", [])
    page = environment.get_template("errors/page.html")
    html = page.render(problem=problem, principal=None, sign_in=sign_in, typed=typed)
    return html_response(request, html, status, {})


def _page_of(request: Request) -> str:
    return urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", "")).path


def _to_sign_in(request: Request, problem: dict[str, Any]) -> Response:
    if is_htmx(request):
        preferences.enter(request, None)
        there = _page_of(request)
        html = environment.get_template("errors/_toast.html").render(problem=problem, sign_in=None)
        return html_response(request, html, 401, {"HX-Redirect": sign_in_url(there)})
    query = request.scope["query_string"].decode("latin-1")
    there = request.scope["path"] if request.method == "GET" else "/"
    return RedirectResponse(sign_in_url(f"{there}?{query}" if query and there != "/" else there), 303)


def sign_in_url(there: str) -> str:
    target = safe_next(there)
    return "/login" if target == "/" else f"/login?next={quote(target, safe='/')}"
