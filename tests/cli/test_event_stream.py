"""Events however their bytes are cut."""

from app.cli.event_stream import Event, EventReader

STREAM = (
    "retry: 700\n\n"
    'id: 1\nevent: delta\ndata: {"text":"Grüße: 茶"}\n\n'
    ": ping\n\n"
    "event: reconnect\ndata: {}\n\n"
    'id: 2\nevent: done\ndata: {"message":null}\n\n'
).encode()
EVENTS = [Event(1, "delta", {"text": "Grüße: 茶"}), Event(None, "reconnect", {}), Event(2, "done", {"message": None})]


def test_a_stream_cut_anywhere_is_the_same_stream() -> None:
    for cut in range(len(STREAM) + 1):
        reader = EventReader()
        assert reader.feed(STREAM[:cut]) + reader.feed(STREAM[cut:]) == EVENTS
        assert reader.retry == 0.7


def test_byte_by_byte() -> None:
    reader = EventReader()
    assert [event for byte in STREAM for event in reader.feed(bytes([byte]))] == EVENTS


def test_what_was_not_finished_is_no_event() -> None:
    assert EventReader().feed(STREAM[:-1]) == EVENTS[:2]
