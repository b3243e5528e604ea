"""From a branch to a prompt."""

import pytest

from app.generations.prompt import prompt_of


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
