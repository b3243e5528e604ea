"""An evil page in another tab: its forms, scripts, frames and windows try what its visitor may do on Teahouse."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import escape

from aiohttp import web

# `results` is filled by what a script was able to do. Nothing of it is waited for longer than a few seconds.
_SCRIPTS = """<!doctype html><title>evil</title><script>
const target = %s, paths = %s, posts = %s, results = (window.results = {});
const kept = (name, promise) => promise.then((value) => (results[name] = value), () => (results[name] = "refused"));
Promise.all([
  ...paths.map((path) => kept(`read ${path}`, fetch(target + path, { credentials: "include" }).then((r) => r.text()))),
  ...posts.flatMap(([path, fields]) => [
    kept(`form ${path}`, fetch(target + path, {
      method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams(fields),
    }).then(() => "sent")),
    kept(`json ${path}`, fetch(target + path, {
      method: "POST", credentials: "include", headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    }).then((r) => r.text())),
    kept(`text ${path}`, fetch(target + path, {
      method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify(fields),
    }).then(() => "sent")),
  ]),
]).then(() => (window.finished = true));
</script>"""


class EvilSite:
    """`url` of its first page; `/forms`, `/scripts`, `/frames` below it."""

    def __init__(self, target: str, paths: list[str], posts: Mapping[str, Mapping[str, str]]) -> None:
        self.target, self.paths, self.posts = target, paths, posts
        self.url = ""

    def forms(self) -> str:
        """Each form sends itself, into a frame of its own."""
        parts = []
        for number, (path, fields) in enumerate(self.posts.items()):
            inputs = "".join(f'<input name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items())
            parts.append(
                f'<iframe name="f{number}"></iframe>'
                f'<form method="post" target="f{number}" action="{escape(self.target + path)}">{inputs}</form>'
            )
        sending = "<script>for (const form of document.forms) form.submit()</script>"
        return f"<!doctype html><title>evil</title>{''.join(parts)}{sending}"

    def scripts(self) -> str:
        given = self.target, self.paths, [[path, dict(fields)] for path, fields in self.posts.items()]
        return _SCRIPTS % tuple(map(json.dumps, given))

    def frames(self) -> str:
        frames = "".join(f'<iframe src="{escape(self.target + path)}"></iframe>' for path in self.paths)
        return f"<!doctype html><title>evil</title>{frames}"


@asynccontextmanager
async def evil_site(host: str, site: EvilSite) -> AsyncIterator[EvilSite]:
    """Served at that name of this machine: `localhost` is another site than 127.0.0.1, which is another origin only."""

    def page(text: str) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    async def forms(_: web.Request) -> web.Response:
        return page(site.forms())

    async def scripts(_: web.Request) -> web.Response:
        return page(site.scripts())

    async def frames(_: web.Request) -> web.Response:
        return page(site.frames())

    app = web.Application()
    app.add_routes([web.get("/forms", forms), web.get("/scripts", scripts), web.get("/frames", frames)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    try:
        site.url = f"http://{host}:{runner.addresses[0][1]}"
        yield site
    finally:
        await runner.cleanup()
