"""Any way of cutting the same bytes into chunks gives the same lines and events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import monotonic
from app.providers.errors import ProviderProtocolError
from app.providers.lines import MAX_LINE, EventSplitter, LineSplitter

CUTS = st.lists(st.integers(0, 400), max_size=20)
LINES = st.lists(st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), max_size=20))
FIELDS = st.sampled_from(
    ["data: one", "data:two", "data", ": ping", "", "", "event: x", "id: 1", "retry: 5", "data: 茶🍵", "error: {}", "x"]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[a:b] for a, b in pairwise(places)] or [b""]


@given(LINES, CUTS, st.text(max_size=5))
def test_lines_do_not_depend_on_the_chunks(lines: list[str], cuts: list[int], rest: str) -> None:
    rest = rest.replace("\n", "")
    data = "".join(f"{line}\n" for line in lines) + rest
    splitter = LineSplitter()
    got = [line for chunk in chunks(data.encode(), cuts) for line in splitter.feed(chunk)]
    assert got == [line.encode() for line in lines]
    assert splitter.rest() == rest.encode()


@given(st.lists(st.tuples(FIELDS, ENDS), max_size=30), CUTS, st.booleans())
def test_events_do_not_depend_on_the_chunks(fields: list[tuple[str, str]], cuts: list[int], bom: bool) -> None:
    data = (("\ufeff" if bom else "") + "".join(line + end for line, end in fields)).encode()
    whole, cut = EventSplitter(), EventSplitter()
    expected = [*whole.feed(data), *whole.rest()]
    got = [event for chunk in chunks(data, cuts) for event in cut.feed(chunk)]
    assert [*got, *cut.rest()] == expected


@given(st.binary(max_size=300), CUTS)
def test_arbitrary_bytes_raise_nothing(data: bytes, cuts: list[int]) -> None:
    splitter = EventSplitter()
    for chunk in chunks(data, cuts):
        splitter.feed(chunk)
    splitter.rest()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_events_as_the_standard_has_them(end: str) -> None:
    lines = ["\ufeff: hello", "data: {", "data:}", "id: 3", "", "", "event: x", "data: two", "", "data: half"]
    splitter = EventSplitter()
    assert splitter.feed(end.join(lines).encode() + b" line") == [b"{\n}", b"two"]
    assert splitter.rest() == []


def test_an_event_without_its_blank_line_counts_at_the_end() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: [DONE]\n") == []
    assert splitter.rest() == [b"[DONE]"]


@pytest.mark.parametrize("size", [1, 4096, 300_000])
def test_a_line_is_at_most_a_mebibyte_and_costs_linear_time(size: int) -> None:
    splitter = LineSplitter()
    began = monotonic()
    with pytest.raises(ProviderProtocolError):  # noqa: PT012
        for _ in range(2 * MAX_LINE // size):
            splitter.feed(b"x" * size)
    assert monotonic() - began < 5


def test_a_long_line_that_comes_with_its_end_is_refused_too() -> None:
    with pytest.raises(ProviderProtocolError):
        LineSplitter().feed(b"x" * (MAX_LINE + 1) + b"\n")
    assert LineSplitter().feed(b"x" * MAX_LINE + b"\n")


def test_an_event_of_endless_lines_is_refused_in_linear_time() -> None:
    splitter = EventSplitter()
    began = monotonic()
    with pytest.raises(ProviderProtocolError):  # noqa: PT012
        for _ in range(2 * MAX_LINE // 1000):
            splitter.feed(b"data:x\n" * 1000)
    assert monotonic() - began < 5
