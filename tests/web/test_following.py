"""A viewer of an answer at any position gets exactly what it lacks."""

import random
from collections.abc import Sequence

import orjson
import pytest

from app.generations.live_page import LiveAnswer, Progress
from app.jobs.lease import StoredEvent
from app.jobs.models import Job
from app.rendering import render_markdown

TEXT = (
    "A first paragraph.\n\nA second *one*.\n\n```python\nprint('tea')\n\nprint('more')\n```\n\n"
    "- one\n- two\n\n- three\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\nThe end, with `code`.\n"
)


def events_of(text: str, size: int, first: int = 1) -> list[StoredEvent]:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return [event(seq, "delta", text=piece) for seq, piece in enumerate(pieces, first)]


def event(seq: int, name: str, **data: str) -> StoredEvent:
    return StoredEvent(seq, name, orjson.dumps(data).decode())


class Viewer:
    """A page: it holds blocks as they were sent, and never looks at anything else."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.open = self.thinking = ""
        self.after = self.seen = self.wholes = self.sent = 0

    def take(self, progress: Progress) -> None:
        if progress.whole:
            self.closed, self.thinking = [], ""
            self.wholes += 1
        self.closed += progress.closed
        self.thinking += progress.thinking
        self.open, self.after, self.seen = progress.open, progress.position, progress.seen
        self.sent += sum(map(len, progress.closed))
        assert self.seen == len(self.closed)

    @property
    def html(self) -> str:
        return "".join(self.closed) + self.open


def look(answer: LiveAnswer, viewer: Viewer, status: str = "running") -> None:
    job = Job(id="j", message_id="m", status=status, blocked=False, folded=False)
    viewer.take(answer.progress(job, None, viewer.after, viewer.seen))


def write(answer: LiveAnswer, events: Sequence[StoredEvent], after: int) -> None:
    answer.apply([e for e in events if e.seq > answer.position], after)


@pytest.mark.parametrize("size", [1, 3, 17])
def test_a_steady_viewer_ends_with_the_whole_and_gets_each_closed_block_once(size: int) -> None:
    answer, viewer, events = LiveAnswer("m-m-"), Viewer(), events_of(TEXT, size)
    for number in range(1, len(events) + 1):
        write(answer, events[:number], viewer.after)
        look(answer, viewer)
    write(answer, [*events, event(len(events) + 1, "done")], viewer.after)
    look(answer, viewer, "succeeded")
    assert viewer.html == render_markdown(TEXT, id_prefix="m-m-") and viewer.open == ""
    assert viewer.wholes == 1, "only the first look"
    assert viewer.sent <= len(viewer.html)


@pytest.mark.parametrize("seed", range(20))
def test_viewers_at_random_positions_of_several_processes_see_one_text(seed: int) -> None:
    choose = random.Random(seed)
    events = events_of(TEXT, choose.randint(1, 9))
    middle = choose.randrange(1, len(events))
    events = [*events[:middle], event(middle + 1, "thinking", text="Hm. "), *events[middle:]]
    events = [StoredEvent(seq, e.event, e.data) for seq, e in enumerate(events, 1)]
    events.append(event(len(events) + 1, "done"))
    answers, viewers = [LiveAnswer("m-m-") for _ in range(3)], [Viewer() for _ in range(3)]
    committed = 1
    while committed < len(events):
        committed = min(len(events), committed + choose.randint(0, 7))
        viewer = choose.choice(viewers)
        answer = choose.choice(answers) if choose.random() < 0.8 else LiveAnswer("m-m-")
        write(answer, events[:committed], viewer.after)
        look(answer, viewer)
    for viewer in viewers:
        write(answers[0], events, viewer.after)
        look(answers[0], viewer, "succeeded")
        assert viewer.html == render_markdown(TEXT, id_prefix="m-m-") and viewer.thinking == "Hm. "


def test_what_the_end_changes_above_comes_whole_once_more() -> None:
    text = "A [link][1].\n\nMore.\n\n[1]: https://tea.example\n"
    answer, viewer, events = LiveAnswer("m-m-"), Viewer(), events_of(text, 5)
    for number in range(1, len(events) + 1):
        write(answer, events[:number], viewer.after)
        look(answer, viewer)
    write(answer, [*events, event(len(events) + 1, "done")], viewer.after)
    look(answer, viewer, "succeeded")
    assert viewer.html == render_markdown(text, id_prefix="m-m-") and "https://tea.example" in viewer.html
    assert viewer.wholes == 2


def test_a_restart_clears_what_the_viewer_has_and_keeps_it_readable() -> None:
    answer, viewer = LiveAnswer("m-m-"), Viewer()
    write(answer, events_of("Lost.\n\nAnd gone.\n\nTruly", 4), 0)
    look(answer, viewer)
    again = [event(50, "restart", reason="crash"), *events_of("Anew.", 2, first=51)]
    write(answer, again, viewer.after)
    job = Job(id="j", message_id="m", status="running", blocked=False, folded=False)
    progress = answer.progress(job, None, viewer.after, viewer.seen)
    assert progress.whole and [old["content"] for old in progress.superseded] == ["Lost.\n\nAnd gone.\n\nTruly"]
    viewer.take(progress)
    assert viewer.html == render_markdown("Anew.", id_prefix="m-m-")


def test_a_snapshot_is_the_text_so_far() -> None:
    answer, viewer = LiveAnswer("m-m-"), Viewer()
    write(answer, [event(1, "snapshot", content="So far.\n\nSo ", thinking="Hm."), event(2, "delta", text="good.")], 0)
    look(answer, viewer)
    assert viewer.html == render_markdown("So far.\n\nSo good.", id_prefix="m-m-") and viewer.thinking == "Hm."


def test_a_log_that_is_gone_leaves_the_end_to_the_message() -> None:
    answer = LiveAnswer("m-m-")
    progress = answer.progress(Job(id="j", message_id="m", status="succeeded", blocked=False, folded=True), None, 9, 2)
    assert progress.whole and progress.ended
