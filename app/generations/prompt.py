"""From a branch of messages to what the model server is asked."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.providers.base import ChatOptions, PromptMessage


def prompt_of(system_prompt: str, turns: Sequence[tuple[str, str]], so_far: str = "") -> list[PromptMessage]:
    """System prompt, the branch, and (for going on) the text so far; byte-identical from turn to turn as a prefix.

    People and model take turns, as many templates insist: questions without an answer between them become one.
    """
    messages = [PromptMessage("system", system_prompt)] if system_prompt.strip() else []
    said = [(role, content) for role, content in turns if content.strip()]
    for role, contents in groupby(said, key=itemgetter(0)):
        messages.append(PromptMessage(role, "\n\n".join(content for _, content in contents)))
    if so_far:
        messages.append(PromptMessage("assistant", so_far))
    return messages


def options_of(given: dict[str, Any]) -> ChatOptions:
    stop = given.get("stop") or ()
    return ChatOptions(**{**given, "stop": (stop,) if isinstance(stop, str) else tuple(stop)})
