"""Whether the browser says that a request comes from this site's own pages; cookies that are there once."""

import logging
from urllib.parse import urlsplit

from fastapi import Request

from app.http.deps import get_services

logger = logging.getLogger(__name__)


def same_origin(request: Request) -> bool:
    """From our own pages, or from no page at all. A refusal is explained in the log."""
    if not request.headers.getlist("origin"):
        return request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")
    if _names_us(request):
        return True
    _explain(request)
    return False


def from_own_page(request: Request) -> bool:
    """From our own pages for certain: a program, which says nothing, is not one."""
    if request.headers.getlist("origin"):
        return _names_us(request)
    return request.headers.get("sec-fetch-site") == "same-origin"


def _names_us(request: Request) -> bool:
    """The address that people use is what the settings say; else it is what the request was sent to.

    A proxy may lose its scheme or port on the way, and a page without referrers has no origin: then the browser's own
    word counts, which no page can set.
    """
    origins = request.headers.getlist("origin")
    if len(origins) != 1:
        return False
    origin, host = origins[0].lower(), request.headers.get("host", "").lower()
    if origin and origin in (f"{request.url.scheme}://{host}", get_services(request).settings.public_origin):
        return True
    if request.headers.get("sec-fetch-site") != "same-origin":
        return False
    try:
        return origin == "null" or urlsplit(origin).hostname == urlsplit(f"//{host}").hostname
    except ValueError:  # an address that is none
        return False


def _explain(request: Request) -> None:
    """Where it came from our own pages after all the proxy is set up wrongly: which header says what, what to set."""
    headers = request.headers
    peer = request.scope.get("peer", "")
    logger.warning(
        "refused a form: its Origin is %.200r, but this is %s://%.200s (X-Forwarded-Proto: %.50r from %s%s). If people"
        " open this site at that address, set TEAHOUSE_PUBLIC_URL to it",
        ", ".join(headers.getlist("origin")),
        request.url.scheme,
        headers.get("host", ""),
        headers.get("x-forwarded-proto"),
        peer,
        "" if request.scope.get("peer_is_trusted") else ", which is not among TEAHOUSE_TRUSTED_PROXIES",
    )


def single_cookie(request: Request, name: str) -> str | None:
    """The cookie's value. Two of a name mean that somebody tossed one in: then there is none."""
    values = [
        value
        for header in request.headers.getlist("cookie")
        for key, _, value in (part.strip().partition("=") for part in header.split(";"))
        if key == name
    ]
    return values[0].strip('"') if len(values) == 1 else None
