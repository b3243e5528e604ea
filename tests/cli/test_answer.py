"""An answer on the terminal: exact in a pipe, harmless on a screen."""

from typing import Any

import pytest

from app.cli.answer import Answer
from app.cli.event_stream import Event


def message(content: str, **changes: Any) -> dict[str, Any]:
    return {"content": content, "status": "complete", "error": None, "finish_reason": "stop", **changes}


def play(*events: tuple[str, dict[str, Any]], is_live: bool = False) -> Answer:
    with Answer("c1", is_live=is_live) as answer:
        for name, data in events:
            answer.take(Event(1, name, data))
    return answer


def test_in_a_pipe_only_the_finished_answer(capsys: pytest.CaptureFixture[str]) -> None:
    events = ("delta", {"text": "Thr"}), ("restart", {"reason": "interrupted"}), ("delta", {"text": "Two minutes"})
    answer = play(*events, ("done", {"message": message("Two minutes.")}))
    assert (answer.code, capsys.readouterr().out) == (0, "Two minutes.\n")


def test_on_a_screen_what_was_shown_stays(capsys: pytest.CaptureFixture[str]) -> None:
    play(
        ("delta", {"text": "Thr"}),
        ("restart", {"reason": "interrupted"}),
        ("delta", {"text": "Two "}),
        ("snapshot", {"content": "Two minu", "thinking": ""}),
        ("done", {"message": message("Two minutes.")}),
        is_live=True,
    )
    shown = capsys.readouterr()
    assert shown.out == "ThrTwo minutes.\n"
    assert "begun anew (interrupted)" in shown.err


def test_a_model_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31mtea\r\n\ttime 👩‍👩‍👧"
    play(("delta", {"text": evil}), ("done", {"message": message(evil)}), is_live=True)
    assert capsys.readouterr().out == "]0;owned[2J31mtea\n\ttime 👩‍👩‍👧\n"


def test_a_failure_keeps_the_text_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    failed = message("Thr", status="failed", error={"message": "The model server is away."}, finish_reason=None)
    answer = play(("delta", {"text": "Thr"}), ("done", {"message": failed}))
    shown = capsys.readouterr()
    assert (answer.code, shown.out) == (1, "Thr\n")
    assert "The model server is away." in shown.err


def test_a_cut_answer_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    play(("done", {"message": message("Thr", finish_reason="length")}))
    assert "cut" in capsys.readouterr().err
