"""From a branch to a prompt."""

import pytest

from app.generations.prompt import least_tokens, prompt_of, was_cut
from app.providers.events import Usage


@pytest.mark.parametrize(
    ("turns", "asked"),
    [
        ([("user", "a")], [("user", "a")]),
        ([("user", "a"), ("assistant", "b"), ("user", "c")], [("user", "a"), ("assistant", "b"), ("user", "c")]),
        # After an answer that failed, or came to nothing.
        ([("user", "a"), ("user", "c")], [("user", "a"), ("assistant", "…"), ("user", "c")]),
        ([("user", "a"), ("assistant", " \n"), ("user", "c")], [("user", "a"), ("assistant", "…"), ("user", "c")]),
    ],
)
def test_people_and_model_take_turns(turns: list[tuple[str, str]], asked: list[tuple[str, str]]) -> None:
    assert [(message.role, message.content) for message in prompt_of("", turns)] == asked
    with_system = prompt_of("Be brief.", turns, "so far")
    assert [message.role for message in with_system] == ["system", *(role for role, _ in asked), "assistant"]
    assert with_system[-1].content == "so far"


@pytest.mark.parametrize(
    ("read", "least", "window", "expected"),
    [
        (6187, 7429, 8192, True),
        (6187, 6188, 8192, True),
        (6187, 6187, 8192, False),
        (7429, 4337, 8192, False),
        (4096, None, None, True),
        (4097, None, None, False),
        (5000, None, 5000, True),
        (1024, 1500, 8192, False),  # of so little nothing is said
        (None, 7429, 8192, False),
        (6187, None, 8192, False),
    ],
)
def test_a_prompt_that_did_not_grow_was_cut(
    read: int | None, least: int | None, window: int | None, expected: bool
) -> None:
    assert was_cut(Usage(read, 10, window), least) is expected


def test_the_least_tokens_of_a_text() -> None:
    assert least_tokens([("user", "two words"), ("assistant", "")]) == 2
    assert least_tokens([("user", " " * 1000)]) == 0
    assert least_tokens([("user", "请总结一下会议纪要")]) == 2
