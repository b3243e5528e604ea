"""Why an answer failed, in the page's language; the model server's own words come second."""

from collections.abc import Mapping
from typing import Any

from app.i18n import translated, worded
from app.providers.catalog import ModelProblem

# By the code that is on the message: app/providers/errors.py, app/generations, app/jobs.
SENTENCES = {
    "unavailable": worded("The model server does not answer at the moment."),
    "busy": worded("The model server is busy."),
    "interrupted": worded("The answer was interrupted."),
    "provider_failed": worded("The model server failed while it was writing."),
    "provider_error": worded("The model server failed."),
    "protocol": worded("The model server sent something that cannot be understood."),
    "rejected": worded("The model server refused this request."),
    "context_overflow": worded(
        "The conversation is longer than this model can read. Begin a new conversation, edit an earlier message, "
        "or choose a model with a larger window."
    ),
    "payment": worded("The model server wants to be paid first. The administrator has to see to it."),
    "unusable": worded("This model cannot run here."),
    "model_not_found": worded("This model is not there any more. Choose another one."),
    "credentials": worded("The model server refused the key. The administrator has to set it right."),
    "poisoned": worded("This answer stopped the server three times and was given up."),
    "internal": worded("Something went wrong inside Teahouse."),
    "unknown_kind": worded("Something went wrong inside Teahouse."),
    "cuts_prompts": worded("This model server cuts long conversations short."),
    "too_many": worded("This model server has more models than are listed here."),
    "partly_away": worded("Not all of these model servers answer at the moment."),
}
OTHER_MODEL = frozenset(
    {"model_not_found", "context_overflow", "rejected", "unavailable", "unusable", "credentials", "payment"}
)
# Their message says the same in English.
NOTHING_TO_ADD = frozenset({"poisoned", "internal", "unknown_kind"})

# Why an answer that did not fail ended otherwise than by itself.
ENDINGS = {
    "length": worded("The answer reached the longest length that is set."),
    "limit": worded("The answer took too long and was stopped."),
    "cancelled": worded("Stopped."),
    "content_filter": worded("The model server withheld the rest of this answer."),
    "refusal": worded("The model refused to answer."),
    "tool_calls": worded("The model asked for a tool, and there is none here."),
}
BLANK = worded("The model answered with nothing.")


def sentence(error: Mapping[str, Any] | None) -> str:
    code = str(error.get("code", "")) if error else "interrupted"
    return translated(SENTENCES.get(code, SENTENCES["provider_error"]))


def own_words(error: Mapping[str, Any] | None) -> str:
    """What the model server said itself, where that adds something."""
    if not error or error.get("code") in NOTHING_TO_ADD:
        return ""
    words = translated(str(error.get("message") or ""))
    return "" if words == sentence(error) else words


def of_server(problem: ModelProblem) -> tuple[str, str]:
    """What is wrong with a model server, and its own words."""
    error = {"code": problem.code, "message": problem.message}
    return sentence(error), own_words(error)


def ending(status: str, reason: str | None, *, is_blank: bool) -> str:
    """Why an answer ended, where that is worth a word; nothing for one that came to its own end."""
    if status == "stopped" and reason not in ENDINGS:
        return translated(ENDINGS["cancelled"])
    if status != "complete" or reason in ENDINGS:
        return translated(ENDINGS[reason]) if reason in ENDINGS and status != "generating" else ""
    if reason not in (None, "stop"):
        return translated(worded("The model server ended the answer with “{reason}”.", reason=reason))
    return translated(BLANK) if is_blank else ""


def suits_another_model(error: Mapping[str, Any] | None) -> bool:
    """Whether the same question may well be answered by another one."""
    return bool(error) and str((error or {}).get("code")) in OTHER_MODEL
