"""The edge of the application, put on in one go."""

from collections.abc import Callable, Mapping

from fastapi import FastAPI
from starlette.types import Scope

from app.http import health
from app.http.assets import static_files
from app.http.cors import ApiCors
from app.http.errors import install_error_handlers
from app.http.middleware import Edge
from app.observability.health import Checks
from app.settings import Settings


def install_edge(
    app: FastAPI,
    settings: Settings,
    *,
    larger_bodies: Mapping[str, int] | None = None,
    is_stranger: Callable[[Scope], bool] = lambda _: False,
) -> None:
    """Call it after all routes are there and before any other middleware would be added: the last one is outermost.

    `larger_bodies` = path prefix to bytes, for the routes that take more than a megabyte. `is_stranger`: whether nobody
    is signed in behind a request, whose forms are short then.
    """
    app.state.checks = Checks()
    # The redirect would be an absolute address made from the request; a wrong slash is simply not found.
    app.router.redirect_slashes = False
    app.include_router(health.router)
    app.mount("/static", static_files, name="static")
    install_error_handlers(app)
    if settings.cors_origins:
        app.add_middleware(ApiCors, origins=settings.cors_origins)
    app.add_middleware(Edge, settings=settings, larger_bodies=larger_bodies, is_stranger=is_stranger)
