"""What every kind of model server can do."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from app.i18n import worded
from app.jobs.states import Phase
from app.providers.events import ChatEvent

MAX_MODEL_NAME = 200  # what a server calls longer is not offered
MAX_MODEL_ID = 200  # with its provider: what may be chosen to answer
MAX_LISTED_ID = 220  # what may be looked at, dropped, unloaded


def is_model_name(name: str) -> bool:
    return 0 < len(name) <= MAX_MODEL_NAME and name.isprintable()


Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class PromptMessage:
    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """Sampling options as the API spells them; None = the server's default."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    repeat_penalty: float | None = None
    think: bool | str | None = None
    num_ctx: int | None = None  # the window in tokens, where a server can be asked for one


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """`model` is the name as its server spells it, without our provider prefix.

    With `continues` the last message is an assistant's unfinished text and the answer goes on from its end.
    `on_phase` is called with each phase before the first token, as far as the server reports phases.
    """

    model: str
    messages: Sequence[PromptMessage]
    options: ChatOptions = field(default_factory=ChatOptions)
    continues: bool = False
    on_phase: Callable[[Phase], None] = field(default=lambda _phase: None, compare=False)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a server offers. `id` is `<provider>/<name>`.

    None if unknown: `context_length` in tokens, `size` in bytes.
    """

    provider: str
    name: str
    context_length: int | None = None
    capabilities: tuple[str, ...] = ("chat",)
    loaded: bool | None = None
    size: int | None = None

    @property
    def id(self) -> str:
        return f"{self.provider}/{self.name}"


CUTS_PROMPTS, TOO_MANY, PARTLY_AWAY = "cuts_prompts", "too_many", "partly_away"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a model server that answers."""

    code: str
    message: str


def too_many(shown: int, count: int) -> Problem | None:
    """If a server names more models than are listed."""
    if count <= shown:
        return None
    told = {"shown": f"{shown:,}", "count": f"{count:,}"}
    return Problem(TOO_MANY, worded("Only the first {shown} of {count} models are listed.", **told))


class ChatProvider(Protocol):
    """One configured model server."""

    name: str  # the provider part of a model id: ollama, openai or embedded
    paid: bool  # calling twice costs money

    @property
    def slots(self) -> int | None:
        """Answers that it writes at once; None where it does not say."""
        ...

    @property
    def problem(self) -> Problem | None:
        """What is wrong with it though it answers, as of its last list."""
        ...

    async def list_models(self) -> list[ModelInfo]:
        """All models. Raises ProviderError."""
        ...

    async def can_continue(self, model: str) -> bool:
        """Whether the model goes on from a trailing assistant message; else it would write a second answer.

        Raises ProviderError where only the server knows and it is away: "no" would throw text away.
        """
        ...

    def chat(self, request: ChatRequest) -> AsyncIterator[ChatEvent]:
        """The answer, ending with exactly one Finished. Raises ProviderError.

        Closing the iterator (`aclose`, cancellation) closes the connection at once.
        """
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PullProgress:
    """`done` and `total` in bytes of the layer in work; None between layers."""

    status: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What a server tells of a model, in its own words; empty where it says nothing."""

    family: str = ""
    parameter_size: str = ""
    quantization: str = ""
    capabilities: tuple[str, ...] = ()
    context_length: int | None = None  # what the model was made for
    parameters: str = ""
    template: str = ""
    system: str = ""
    license: str = ""


@runtime_checkable
class ModelKeeper(Protocol):
    """A model server that fetches and drops models when told to."""

    def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model; ends when it is complete. Raises ProviderError."""
        ...

    async def show(self, model: str) -> ModelDetails: ...

    async def delete(self, model: str) -> None: ...

    async def unload(self, model: str) -> None:
        """Give the model's memory back."""
        ...


def as_json(options: ChatOptions) -> dict[str, Any]:
    """The options that were given, by name."""
    values = {name: getattr(options, name) for name in ChatOptions.__slots__}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items() if v is not None and v != ()}
