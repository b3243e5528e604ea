"""Our request to the body of a chat completion."""

import re
from typing import Any

from app.providers.base import ChatRequest


def body_for(request: ChatRequest, *, extended: bool, is_llama: bool) -> dict[str, Any]:
    """With `extended` also what OpenAI itself does not know and refuses; llama.cpp, vLLM and others take it."""
    options = request.options
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": options.temperature,
        "top_p": options.top_p,
        "max_tokens": options.max_tokens,
        "seed": options.seed,
        "stop": list(options.stop) or None,
    }
    if extended:
        body |= {"top_k": options.top_k, "repeat_penalty": options.repeat_penalty}
    think = options.think
    if isinstance(think, str):
        body["reasoning_effort"] = think
    if is_llama and (isinstance(think, bool) or request.continues):
        # llama.cpp refuses to go on from an assistant's text while thinking is on.
        body["chat_template_kwargs"] = {"enable_thinking": bool(think) and not request.continues}
    return {name: value for name, value in body.items() if value is not None}


_OPTIONAL = (
    *("temperature", "top_p", "top_k", "repeat_penalty", "seed", "stop", "reasoning_effort"),
    *("stream_options", "chat_template_kwargs"),
)
_OURS = {"reasoning_effort": "think", "chat_template_kwargs": "think"}
_NO_SYSTEM = re.compile(
    r"system.{0,30}(role|message|instruction).{0,30}not|role.{0,30}system|developer instruction", re.IGNORECASE
)
# A word alone may be any word of a sentence; a parameter is quoted, or stands where parameters are named.
_NAMED = r"(?:['\"`.]|\b(?:parameter|property|field|argument)s?:?\s|^|: )"


def without_refused(body: dict[str, Any], refusal: str) -> tuple[dict[str, Any], str] | None:
    """The body as a server takes it whose 400 or 422 says what it does not take, and which of our options that was.

    The option is empty where nothing is lost: another name for it, or another place. None: nothing to change.
    """
    if "max_completion_tokens" in refusal and "max_tokens" in body:
        limit = body["max_tokens"]
        others = {name: value for name, value in body.items() if name != "max_tokens"}
        return others | {"max_completion_tokens": limit}, ""
    for name in _OPTIONAL:
        if name in body and re.search(rf"{_NAMED}{name}\b", refusal):
            left = {other: value for other, value in body.items() if other != name}
            return left, "" if name == "stream_options" else _OURS.get(name, name)
    if _NO_SYSTEM.search(refusal) and body["messages"][0]["role"] == "system":
        return body | {"messages": _without_system(body["messages"])}, ""
    return None


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The system prompt at the head of the first question."""
    system, *rest = messages
    if not rest or rest[0]["role"] != "user":
        return [{"role": "user", "content": system["content"]}, *rest]
    return [{"role": "user", "content": f"{system['content']}\n\n{rest[0]['content']}"}, *rest[1:]]
