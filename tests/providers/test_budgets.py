"""What a reply of a model server may take: bytes, lines, items, turns of the event loop, numbers, texts."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.providers import http
from app.providers.base import MAX_MODEL_NAME, ChatProvider, is_model_name
from app.providers.body import Body
from app.providers.budget import PIECE, Budget
from app.providers.catalog import Providers
from app.providers.errors import ProviderError, ProviderProtocolError
from app.providers.failures import from_error_event, from_status
from app.providers.listing import ListReader
from app.providers.ollama import client as ollama_client
from app.providers.ollama.client import OllamaProvider
from app.providers.ollama.continuing import Continuing
from app.providers.ollama.template import NotUnderstood, goes_on, render
from app.providers.ollama.version import UNKNOWN, version_of
from app.providers.pulling import _MOST_LAYERS, _Layers
from app.providers.thinking import InlineThinking
from app.providers.values import MOST_TOKENS, count, line, positive, text
from tests.model_server import ModelServer
from tests.providers.asking import all_events, closing, end_of, heard, question, settings_for, text_of, usage_of

LISTS = ("/api/tags", "/v1/models")


def smaller(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, **limits: Any) -> None:
    make: Callable[..., Budget] = getattr(module, name)

    def made(*arguments: Any) -> Budget:
        budget = make(*arguments)
        for limit, value in limits.items():
            setattr(budget, limit, value)
        return budget

    monkeypatch.setattr(module, name, made)


# --- streams ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "limits", "said"),
    [
        ("newlines_after:2:100000000", {"lines": 1000}, "too many lines"),
        ("newlines_after:2:100000000", {"bytes": 100_000}, "too many bytes"),
        ("endless_after:2", {"lines": 1000}, "too many lines"),
        ("gzip", {"bytes": 100_000}, "too many bytes"),
    ],
)
async def test_a_flood_ends_the_answer_and_closes_the_connection(
    fault: str,
    limits: dict[str, int],
    said: str,
    provider: ChatProvider,
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    smaller(monkeypatch, http, "for_answer", **limits)
    events = await heard(provider, question(f"[[tokens=9 fault={fault}]]"))
    assert isinstance(events.error, ProviderProtocolError)
    assert said in events.error.message
    assert events.error.began
    async with asyncio.timeout(5):
        while not server.chats[0].disconnected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("fault", ["newlines_after:1:2000000", "gzip"])
async def test_others_get_their_turn_between_two_pieces(
    fault: str, provider: ChatProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0
    pieces: list[tuple[int, int]] = []  # size, and the turns that others had had
    read = Body.read

    async def noted(self: Body) -> bytes:
        piece = await read(self)
        pieces.append((len(piece), turns))
        return piece

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Body, "read", noted)
    other = asyncio.create_task(take_turns())
    await heard(provider, question(f"[[tokens=3 fault={fault}]]"))
    other.cancel()
    sizes, had = [size for size, _ in pieces], [turn for _, turn in pieces]
    assert max(sizes) <= PIECE
    assert sum(sizes) > 60 * PIECE
    # Of two that are ready now the one and now the other comes first.
    assert all(before < after for before, after in zip(had, had[2:], strict=False))


async def test_a_load_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelServer() as server, closing(OllamaProvider(settings_for(), server.url)) as provider:
        server.path_faults = {"/api/generate": "gzip"}
        smaller(monkeypatch, ollama_client, "for_load", bytes=100_000)
        assert end_of(await all_events(provider, question("tea [[tokens=2]]"))).reason == "stop"


async def test_a_download_without_an_end_is_left_and_what_it_tells_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelServer() as server, closing(OllamaProvider(settings_for(), server.url)) as provider:
        server.path_faults = {"/api/pull": "pulls:30"}
        steps = [step async for step in provider.pull("fresh:1b")]
        assert len(steps) == 31
        assert [(len(step.status), step.done, step.total) for step in steps[:-1]] == [(200, n, None) for n in range(30)]
        server.path_faults = {"/api/pull": "pulls:1000000"}
        smaller(monkeypatch, ollama_client, "for_pull", lines=1000)
        with pytest.raises(ProviderProtocolError, match="too many lines"):
            [step async for step in provider.pull("fresh:1b")]


def test_layers_of_a_download_are_summed_and_no_more_are_told_apart_than_there_may_be() -> None:
    layers = _Layers()
    for number in range(_MOST_LAYERS + 1000):
        layers.add(f"pulling {number}", 1, 3)
    layers.add("pulling 0", 2, 3)
    assert (layers.done, layers.total) == (_MOST_LAYERS + 1, 3 * _MOST_LAYERS)


# --- lists ------------------------------------------------------------------------------------------------------


async def test_of_a_hundred_thousand_models_the_first_are_listed_and_it_says_so() -> None:
    async with ModelServer() as server:
        server.path_faults = {"/api/tags": "names:100000", "/v1/models": "names:100000", "/api/show": "hang"}
        settings = settings_for(ollama_url=server.url, openai_base_url=server.openai_url)
        async with closing(Providers(settings)) as providers:
            async with asyncio.timeout(20):
                while len((listed := await providers.models(fresh=True)).items) < 1000:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert {m.id for m in listed.items} >= {"ollama/m000499:latest", "openai/m000499:latest"}
            told = {p.provider: (p.code, p.is_away, str(p.message)) for p in listed.problems}
            sentence = "Only the first 500 of 100,000 models are listed."
            assert told == dict.fromkeys(("ollama", "openai"), ("too_many", False, sentence))
            assert listed.first is not None
            shown = [r for r in server.requests if r.path == "/api/show"]
            assert len(shown) == 8, "each is a socket"


@pytest.mark.parametrize(
    ("fault", "count"), [("names:500", 500), ("packed_names:3", 3), ("packed_names:501", 500), ("names:0", 0)]
)
async def test_a_list_may_come_packed_or_be_empty(
    fault: str, count: int, provider: ChatProvider, server: ModelServer
) -> None:
    server.path_faults = dict.fromkeys(LISTS, fault)
    assert len(await provider.list_models()) == count
    assert (provider.problem is not None) == (fault == "packed_names:501")


@pytest.mark.parametrize("fault", ["one_item:2000000", "deep:200000", "gzip", "json:2000000"])
async def test_a_list_that_is_a_trap_is_no_list(fault: str, provider: ChatProvider, server: ModelServer) -> None:
    server.path_faults = dict.fromkeys(LISTS, fault)
    if fault.startswith("json") and provider.name == "ollama":
        assert await provider.list_models() == []  # objects without a name, one after the other
        return
    with pytest.raises(ProviderProtocolError):
        await provider.list_models()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_list_does_not_depend_on_the_pieces(size: int) -> None:
    whole = '{"object": "list",\n "data" : [ {"id": "茶]"}, 17 ,"[", [1, 2], null ], "more": [3]}'.encode()
    reader = ListReader("data", 4)
    for at in range(0, len(whole), size):
        reader.feed(whole[at : at + size])
    assert reader.ended
    assert (reader.listed.items, reader.listed.count) == ([{"id": "茶]"}, 17, "[", [1, 2]], 5)


async def test_other_replies_are_short(server: ModelServer) -> None:
    upstream = http.Upstream(server.url, settings_for())
    try:
        for fault, said in (("json:2000000", "too many bytes"), ("gzip", "too much"), ("deep:2000", "in JSON")):
            server.path_faults = {"/api/version": fault}
            with pytest.raises(ProviderProtocolError, match=said):
                await upstream.json("GET", "/api/version", seconds=5)
            assert await version_of(upstream, 5) == UNKNOWN
        server.path_faults = {"/api/show": "deep:900"}  # more than can be written again
        server.version = f"0.{'1' * 5000}.0"
        assert await version_of(upstream, 5) == UNKNOWN
        with pytest.raises(ProviderError):
            await upstream.json("GET", "/api/none", seconds=5)
        assert await Continuing(upstream).is_possible("scripted:latest", 2048) in (True, False)
    finally:
        await upstream.aclose()


# --- numbers and texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelled", ["18446744073709551616", "18446744073709551615", "-7", "true", '"9"', "NaN", "1e9"])
async def test_a_count_that_is_nonsense_is_none(spelled: str, provider: ChatProvider) -> None:
    events = await all_events(provider, question(f"[[tokens=3 fault=counts:{spelled}:5]]"))
    assert end_of(events).reason == "stop"
    assert (usage_of(events).prompt_tokens, usage_of(events).completion_tokens) == (None, 5)


async def test_a_reason_of_any_length_is_cut(provider: ChatProvider) -> None:
    events = await all_events(provider, question("[[tokens=3 fault=long_reason:500000]]"))
    assert end_of(events).reason == "x" * 64


def test_values_of_others_are_within_bounds() -> None:
    assert [count(v) for v in (0, 7, MOST_TOKENS, MOST_TOKENS + 1, -1, True, 1.0, "1", None)] == [
        *(0, 7, MOST_TOKENS),
        *[None] * 6,
    ]
    assert (positive(0), positive(3)) == (None, 3)
    assert line("a\0b\n\ud800 c" + "d" * 10_000_000, 8) == "a b cddd"
    nothing: list[Any] = [None, 5, {}, " \n"]
    assert [line(value, 8) for value in nothing] == [""] * 4
    assert text({"a": "x\0\ud800\n" * 9, "b": 5}, "a", 5) == "x?\nx"
    assert text({"b": 5}, "b", 5) == ""
    assert [is_model_name(name) for name in ("a", "", "a\n", "\ud800", "x" * (MAX_MODEL_NAME + 1))] == [
        *(True, False, False, False, False),
    ]


def nested(depth: int) -> Any:
    value: Any = "tea"
    for _ in range(depth):
        value = {"message": value}
    return value


@pytest.mark.parametrize("error", [nested(500), 1 << 80, {"code": 1 << 80}, {"message": "\ud800"}, [nested(300)], {}])
def test_an_error_may_be_anything(error: Any) -> None:
    for told in (error, {"code": 429, "message": error}):
        named = from_error_event(told, "It", began=True)
        assert len(named.message) < 300


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 900 + b"]" * 900,
        b'{"error":' * 900 + b"1" + b"}" * 900,
        b'{"detail":[{"loc":5,"msg":[]},{"loc":[1,{}]}]}',
        b"model" * 13_000,
    ],
)
def test_the_body_of_an_error_may_be_anything(body: bytes) -> None:
    assert len(from_status(500, body, {}, "It").message) < 300


# --- thinking and templates: each tag costs something -------------------------------------------------------------


def test_of_tags_without_an_end_some_are_read() -> None:
    inline = InlineThinking(may_think=True)
    told = [event.text for event in (*inline.feed("<think></think>" * 70_000), *inline.finish())]
    assert 1_040_000 < sum(map(len, told)) < 70_000 * 15
    assert len(told) < 1000


def test_of_lone_ends_some_are_looked_at() -> None:
    inline = InlineThinking(may_think=True)
    told = [*inline.feed("```\n" + "</think>\n" * 10_000), *inline.finish()]
    assert len(told) < 100
    assert sum(len(event.text) for event in told) == 4 + 9 * 10_000


@pytest.mark.parametrize(
    "template",
    [
        "{{ $x := .Prompt }}" + "{{ $x = print $x $x }}" * 40,
        "{{ range $.Messages }}" * 2 + "x" * 60_000 + "{{ end }}" * 2,
        "}}.Messages" + "{{" * 40_000,
    ],
)
def test_a_template_that_grows_is_not_written(template: str) -> None:
    messages = [{"Content": "tea", "Role": "user"}] * 2
    data = {"Prompt": "tea", "Messages": messages}
    if template.startswith("}}"):
        assert goes_on(template) is False
        return
    with pytest.raises(NotUnderstood):
        render(template, data)


def test_text_of_the_answers_before_stays_as_it_is() -> None:
    """What is cut into pieces for the tags is the same text."""
    inline = InlineThinking(may_think=True)
    whole = "tea and water " * 5000
    assert text_of([*inline.feed(whole), *inline.finish()]) == whole
