"""From a branch of messages to what the model server is asked."""

from collections.abc import Sequence
from typing import Any, cast

from app.providers.base import ChatOptions, PromptMessage, Role
from app.providers.events import Usage

LEAST_WINDOW = 2048  # tokens; of less than that nothing is said
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


def least_tokens(turns: Sequence[tuple[str, str]]) -> int:
    """No tokenizer makes fewer of it: a word is one at least, and so are four letters of a script without spaces."""
    return sum(max(len(content.split()), sum(letter > "\u2e7f" for letter in content) // 4) for _, content in turns)


def was_cut(usage: Usage, least: int | None) -> bool:
    """Whether the server left out a part of the prompt without a word, by how many tokens it says it has read.

    `least`: tokens that the prompt must have: those of the previous answer's prompt and of the messages since. A server
    that cuts a prompt to its window reports exactly the window's size, which is a power of two.
    """
    read = usage.prompt_tokens
    if read is None or read < LEAST_WINDOW:
        return False
    return (least is not None and read < least) or read.bit_count() == 1 or read == usage.context_length


def options_of(given: dict[str, Any]) -> ChatOptions:
    stop = given.get("stop") or ()
    return ChatOptions(**{**given, "stop": (stop,) if isinstance(stop, str) else tuple(stop)})
