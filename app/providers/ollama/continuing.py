"""Whether a model of Ollama's goes on from a trailing assistant message, or would write a second answer behind it."""

import re
from hashlib import sha256
from typing import Any

import orjson

from app.providers.http import Upstream
from app.providers.ollama.details import MAX_TEXT
from app.providers.ollama.template import BEGINNING, NotUnderstood, goes_on
from app.providers.ollama.version import version_of
from app.providers.values import text

_SECONDS = 5.0
_LOAD_SECONDS = 120.0  # newer ones write a prompt only when the model is loaded
_RENDERS_ONLY = (0, 11, 5)  # since then a prompt can be written without being answered
_OWN_TEMPLATES = (0, 30, 0)  # since then the template of the model's file may be preferred to the one that is shown
_MOST_REMEMBERED = 1000  # models
_RENDERER = re.compile(r"^RENDERER ", re.MULTILINE)  # the prompt is written by Ollama's own code


class Continuing:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._known: dict[str, tuple[bytes, bool]] = {}  # by model: what it was shown as, and whether it goes on

    async def is_possible(self, model: str, window: int) -> bool:
        """By the model's template; where that does not decide, by a prompt that Ollama writes without answering it.

        `window` is the one that the model is always asked with: another one would load it anew. Raises ProviderError
        while the server is away.
        """
        shown = await self._upstream.json("POST", "/api/show", {"model": model}, seconds=_SECONDS)
        by_template = _by_template(shown)
        if by_template is False:
            return False
        version = await version_of(self._upstream, _SECONDS)
        if version < (_OWN_TEMPLATES if by_template else _RENDERS_ONLY):
            return bool(by_template)
        try:
            source = sha256(orjson.dumps(shown)).digest()
        except TypeError:  # nested deeper than anything that Ollama shows
            return bool(by_template)
        known = self._known.get(model)
        if known is None or known[0] != source:
            known = self._known[model] = (source, await self._leaves_end_open(model, window))
            if len(self._known) > _MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
        return known[1]

    async def _leaves_end_open(self, model: str, window: int) -> bool:
        """Whether a prompt that ends in an answer's beginning is written so that it ends there, too."""
        messages = [{"role": "user", "content": "Tea?"}, {"role": "assistant", "content": BEGINNING}]
        body = {"model": model, "messages": messages, "stream": False, "_debug_render_only": True}
        body["options"] = {"num_ctx": window, "num_predict": 1}  # the latter for one that answers all the same
        told = await self._upstream.json("POST", "/api/chat", body, seconds=_LOAD_SECONDS)
        info = told.get("debug_info") if isinstance(told, dict) else None
        rendered = info.get("rendered_template") if isinstance(info, dict) else None
        return isinstance(rendered, str) and rendered.endswith(BEGINNING)


def _by_template(shown: Any) -> bool | None:
    """None where the template does not tell."""
    shown = shown if isinstance(shown, dict) else {}
    template = shown.get("template")
    if not isinstance(template, str) or len(template) > MAX_TEXT:
        return None
    if shown.get("renderer") or _RENDERER.search(text(shown, "modelfile", 10 * MAX_TEXT)):
        return None
    try:
        return goes_on(template)
    except NotUnderstood:
        return None
