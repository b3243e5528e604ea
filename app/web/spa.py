"""Serves frontend-islands/dist at /app/ when no Nginx does: every unknown path is the application's own."""

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from app.http.assets import DIST, StaticTree

ASSETS = "assets/"
INDEX = "index.html"


class Application:
    """The built frontend. Without a build there is nothing under /app/."""

    def __init__(self, tree: StaticTree) -> None:
        self._tree = tree

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        name = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
        if INDEX not in self._tree:
            raise HTTPException(404)
        if name in self._tree and name != INDEX:
            await self._tree(scope, receive, send)
        elif name.startswith(ASSETS) or scope["method"] != "GET":
            # A file of another build: the page that asks for it must learn that, not get another page.
            raise HTTPException(404 if name.startswith(ASSETS) else 405)
        else:
            await self._tree.send_file(INDEX, scope, send, keep=False)


def install_spa(app: FastAPI) -> None:
    app.add_api_route("/app", _into, include_in_schema=False)
    app.mount("/app", Application(StaticTree(DIST, hashed=ASSETS)), name="spa")


async def _into() -> Response:
    return RedirectResponse("/app/", 308)
