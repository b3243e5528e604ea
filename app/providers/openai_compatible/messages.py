"""Our request to the body of a chat completion."""

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


def without_refused(body: dict[str, Any], refusal: str) -> dict[str, Any] | None:
    """The body in another dialect if the server's 400 names what it does not know; None: nothing to change."""
    if "stream_options" in refusal and "stream_options" in body:
        return {name: value for name, value in body.items() if name != "stream_options"}
    if "max_completion_tokens" in refusal and "max_tokens" in body:
        limit = body["max_tokens"]
        return {name: value for name, value in body.items() if name != "max_tokens"} | {"max_completion_tokens": limit}
    return None
