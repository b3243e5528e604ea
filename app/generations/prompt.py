"""From a branch of messages to what the model server is asked."""

from collections.abc import Sequence
from typing import Any, cast

from app.providers.base import ChatOptions, PromptMessage, Role

NO_ANSWER = "…"  # a template may refuse, or drop, an answer without a character


def prompt_of(system_prompt: str, turns: Sequence[tuple[str, str]], so_far: str = "") -> list[PromptMessage]:
    """System prompt, the branch, and (for going on) the text so far; byte-identical from turn to turn as a prefix.

    People and model take turns, as many templates insist: a question without an answer is followed by an empty one.
    """
    messages = [PromptMessage("system", system_prompt)] if system_prompt.strip() else []
    for role, content in turns:
        if not content.strip():
            continue
        if role == "user" and messages and messages[-1].role == "user":
            messages.append(PromptMessage("assistant", NO_ANSWER))
        messages.append(PromptMessage(cast(Role, role), content))
    if so_far:
        messages.append(PromptMessage("assistant", so_far))
    return messages


def options_of(given: dict[str, Any]) -> ChatOptions:
    stop = given.get("stop") or ()
    return ChatOptions(**{**given, "stop": (stop,) if isinstance(stop, str) else tuple(stop)})
