"""The models that can be chosen, by the server that offers them, each with its state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.i18n import gettext
from app.providers.base import ModelInfo
from app.providers.catalog import ModelList, ModelProblem


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """`state` is a word in the page's language, or nothing."""

    id: str
    name: str
    state: str
    thinks: bool = False


@dataclass(frozen=True, slots=True)
class ModelChoices:
    groups: Sequence[tuple[str, Sequence[ModelChoice]]] = ()
    problems: Sequence[ModelProblem] = ()

    def __bool__(self) -> bool:
        return bool(self.groups)

    def __iter__(self) -> Iterator[ModelChoice]:
        return (choice for _, choices in self.groups for choice in choices)

    def find(self, model_id: str | None) -> ModelChoice | None:
        return next((choice for choice in self if choice.id == model_id), None)


def choices_of(listed: ModelList, *wanted: str | None) -> ModelChoices:
    """What is listed, and what is `wanted` even while its server is away."""
    models = list(listed.items)
    known = {model.id for model in models}
    for model_id in wanted:
        if model_id and model_id not in known:
            provider, _, name = model_id.partition("/")
            models.append(ModelInfo(provider, name))
    away = {problem.provider for problem in listed.problems if problem.is_away}
    # In the order in which the servers are listed; a model that was added joins the others of its server.
    order = list(dict.fromkeys(model.provider for model in models))
    models.sort(key=lambda model: order.index(model.provider))
    groups = [
        (provider_name(provider), [_choice(model, model.id in known, provider in away) for model in group])
        for provider, group in groupby(models, key=lambda model: model.provider)
    ]
    return ModelChoices(groups, listed.problems)


def _choice(model: ModelInfo, is_listed: bool, is_away: bool) -> ModelChoice:
    if is_away:
        state = gettext("unreachable")
    elif not is_listed:
        state = gettext("not found")
    elif model.loaded:
        state = gettext("loaded")
    else:
        state = ""
    return ModelChoice(model.id, model.name, state, "thinking" in model.capabilities)


def provider_name(provider: str) -> str:
    if provider == "embedded":
        return gettext("Demo model, built in")
    return {"ollama": "Ollama", "openai": gettext("OpenAI-compatible server")}.get(provider, provider)
