"""Several model servers of one kind behind one name: who is asked, and who instead when that one fails.

Each process keeps its own account of who is busy; what the others send is not known here.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from app.clock import monotonic
from app.providers.base import (
    PARTLY_AWAY,
    ChatProvider,
    ChatRequest,
    ModelDetails,
    ModelInfo,
    ModelKeeper,
    Problem,
    PullProgress,
)
from app.providers.errors import (
    FirstTokenTimeout,
    ModelNotFound,
    ProviderBusy,
    ProviderCut,
    ProviderError,
    ProviderUnavailable,
)
from app.providers.events import ChatEvent

logger = logging.getLogger(__name__)

LIST_SECONDS = 1.0  # a slower server's last list is shown meanwhile
CHECK_SECONDS = 5.0  # between two looks at a server, while there is something to ask
DISTRUST_SECONDS = 60.0  # one that broke off lately is asked when the others are busy
WARM_SECONDS = 240.0  # Ollama keeps a model in memory for five minutes


class _Keeping(ChatProvider, ModelKeeper, Protocol):
    """A model server of either side."""


P = TypeVar("P", bound=ChatProvider)
K = TypeVar("K", bound=_Keeping)
Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class _Member(Generic[P]):
    """One server: what it said last, and what it does for us."""

    address: str
    provider: P
    models: dict[str, ModelInfo] = field(default_factory=dict)
    problem: str | None = None
    running: int = 0
    used_at: dict[str, float] = field(default_factory=dict)  # by model: it is in memory there for a while
    failed_at: float = float("-inf")
    checked_at: float = float("-inf")
    checking: asyncio.Task[None] | None = None

    def is_warm(self, model: str) -> bool:
        known = self.models.get(model)
        says_loaded = known is None or known.loaded is not False  # most kinds do not say: then none is preferred
        return says_loaded or monotonic() - self.used_at.get(model, float("-inf")) < WARM_SECONDS


class Pool(Generic[P]):
    """A ChatProvider made of several. `slots` is how many answers one of them writes at once.

    A server that has the model in memory is asked until its slots are taken; then one that has to load it first.
    """

    def __init__(self, members: Sequence[tuple[str, P]], *, slots: int | None) -> None:
        """`members`: address and provider of each."""
        self._members = [_Member(address, provider) for address, provider in members]
        random.shuffle(self._members)  # so that several processes do not all begin with the same one
        self._load_cost = slots or 4
        self.name = self._members[0].provider.name
        self.paid = self._members[0].provider.paid

    @property
    def slots(self) -> int | None:
        """Of all together, if each of them says."""
        told = [m.provider.slots for m in self._members]
        return sum(count or 0 for count in told) if all(told) else None

    @property
    def problem(self) -> Problem | None:
        """What is wrong with some of them, while the others answer."""
        away = [Problem(PARTLY_AWAY, m.problem) for m in self._members if m.problem]
        told = sorted({*away, *(m.provider.problem for m in self._members if m.provider.problem)}, key=_message)
        if len(told) < 2:
            return told[0] if told else None
        return Problem((away or told)[0].code, " ".join(map(_message, told)))

    async def list_models(self) -> list[ModelInfo]:
        """What any of them offers. Raises what the first says when none answers."""
        await self._check_all(wait=LIST_SECONDS)
        known: dict[str, ModelInfo] = {}
        for member in sorted(self._members, key=lambda m: m.address):
            for name, model in member.models.items() if member.problem is None else ():
                other = known.get(name)
                known[name] = model if other is None else _both(other, model)
        if not known and self.problem:
            raise ProviderUnavailable(self.problem.message)
        return list(known.values())

    async def can_continue(self, model: str) -> bool:
        """Any of them may be the next to be asked."""
        answers: list[bool] = []
        error: ProviderError | None = None
        for member in self._members:
            try:
                answers.append(await member.provider.can_continue(model))
            except ProviderError as away:
                error = away
        if not answers and error is not None:
            raise error
        return all(answers)

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """By one of them; by the next, as long as nothing has come of it. Who broke off is not asked soon again."""
        await self._check_all(wait=0 if any(m.models for m in self._members) else LIST_SECONDS)
        refusals: list[ProviderError] = []
        untried = list(self._members)
        while untried:
            member = self._best(untried, request.model)
            untried.remove(member)
            try:
                async with aclosing(self._asked(member, request)) as events:
                    async for event in events:
                        yield event
                return
            except ProviderError as error:
                if not self._may_ask_another(error):
                    raise
                refusals.append(error)
        # A server that is away may well have the model that the others have not.
        raise next((e for e in refusals if not isinstance(e, ModelNotFound)), refusals[0])

    async def aclose(self) -> None:
        checks = [m.checking for m in self._members if m.checking is not None]
        for check in checks:
            check.cancel()
        await asyncio.gather(*checks, return_exceptions=True)
        await asyncio.gather(*(m.provider.aclose() for m in self._members))

    # --- who is asked -------------------------------------------------------------------------------------------

    def _best(self, members: Sequence[_Member[P]], model: str) -> _Member[P]:
        def costs(member: _Member[P]) -> tuple[bool, bool, int, int]:
            has_it = not member.models or model in member.models
            waiting = member.running + (0 if member.is_warm(model) else self._load_cost)
            if monotonic() - member.failed_at < DISTRUST_SECONDS:
                waiting += self._load_cost
            return member.problem is not None, not has_it, waiting, member.running

        return min(members, key=costs)

    async def _asked(self, member: _Member[P], request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        member.running += 1
        try:
            async with aclosing(member.provider.chat(request)) as events:  # type: ignore[type-var]
                async for event in events:
                    member.used_at[request.model] = monotonic()
                    yield event
        except (ProviderUnavailable, ProviderCut) as error:
            self._distrust(member, error)
            raise
        finally:
            member.running -= 1

    def _distrust(self, member: _Member[P], error: ProviderError) -> None:
        member.failed_at = monotonic()
        member.used_at.clear()
        if not isinstance(error, FirstTokenTimeout):
            member.problem = error.message  # until it lists its models again
            member.checked_at = float("-inf")

    def _may_ask_another(self, error: ProviderError) -> bool:
        if error.began or (self.paid and isinstance(error, FirstTokenTimeout)):
            return False
        return isinstance(error, (ProviderUnavailable, ProviderBusy, ModelNotFound))

    # --- how they are -------------------------------------------------------------------------------------------

    async def _check_all(self, *, wait: float) -> None:
        """Look at those that nobody has looked at lately; at most so many seconds are waited for it."""
        now = monotonic()
        for member in self._members:
            if member.checking is None and now - member.checked_at >= CHECK_SECONDS:
                member.checking = asyncio.create_task(self._check(member))
        checks = [m.checking for m in self._members if m.checking is not None]
        if checks and wait:
            await asyncio.wait(checks, timeout=wait)

    async def _check(self, member: _Member[P]) -> None:
        try:
            member.models = {model.name: model for model in await member.provider.list_models()}
            member.problem = None
        except ProviderError as error:
            member.problem = error.message
        except Exception:
            logger.exception("the list of models of %s cannot be read", member.address)
            member.problem = "The list of models cannot be read."
        finally:
            member.checked_at, member.checking = monotonic(), None


class KeepingPool(Pool[K]):
    """Servers that fetch and drop models: what is asked of one is done on all, so that each can answer."""

    async def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """On one after the other. A server that is away is left out, unless all are."""
        error: ProviderError | None = None
        is_there = False
        for member in self._members:
            try:
                async with aclosing(member.provider.pull(model)) as steps:
                    async for step in steps:
                        yield replace(step, status=f"{member.address} {step.status}")
                is_there = True
            except ProviderUnavailable as away:
                error = away
        if not is_there and error is not None:
            raise error

    async def show(self, model: str) -> ModelDetails:
        return (await self._of_all(lambda keeper: keeper.show(model)))[0]

    async def delete(self, model: str) -> None:
        await self._of_all(lambda keeper: keeper.delete(model))

    async def unload(self, model: str) -> None:
        """Gives the model's memory back."""
        await self._of_all(lambda keeper: keeper.unload(model))
        for member in self._members:
            member.used_at.pop(model, None)

    async def _of_all(self, verb: Callable[[K], Awaitable[Answer]]) -> list[Answer]:
        """The answers of those that have the model. Raises when none has."""
        answers = await asyncio.gather(*(verb(m.provider) for m in self._members), return_exceptions=True)
        for member in self._members:
            member.checked_at = float("-inf")
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        for error in errors:
            if not isinstance(error, ProviderError):
                raise error
        done = [answer for answer in answers if not isinstance(answer, BaseException)]
        if not done:
            raise next((e for e in errors if not isinstance(e, ModelNotFound)), errors[0])
        return done


def _message(problem: Problem) -> str:
    return problem.message


def _both(one: ModelInfo, other: ModelInfo) -> ModelInfo:
    """The same model on two servers: in memory if it is on either, and the smaller window is the sure one."""
    windows = [model.context_length for model in (one, other) if model.context_length]
    loaded = [model.loaded for model in (one, other) if model.loaded is not None]
    return replace(one, context_length=min(windows, default=None), loaded=any(loaded) if loaded else None)
