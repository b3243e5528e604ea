"""Whether the browser says that a request comes from this site's own pages; cookies that are there once."""

from fastapi import Request


def same_origin(request: Request) -> bool:
    """From our own pages, or from no page at all."""
    if request.headers.getlist("origin"):
        return _names_us(request)
    return request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def from_own_page(request: Request) -> bool:
    """From our own pages for certain: a program, which says nothing, is not one."""
    if request.headers.getlist("origin"):
        return _names_us(request)
    return request.headers.get("sec-fetch-site") == "same-origin"


def _names_us(request: Request) -> bool:
    origins = request.headers.getlist("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}".lower()
    return len(origins) == 1 and origins[0].lower() == own


def single_cookie(request: Request, name: str) -> str | None:
    """The cookie's value. Two of a name mean that somebody tossed one in: then there is none."""
    values = [
        value
        for header in request.headers.getlist("cookie")
        for key, _, value in (part.strip().partition("=") for part in header.split(";"))
        if key == name
    ]
    return values[0].strip('"') if len(values) == 1 else None
