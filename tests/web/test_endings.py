"""What a page says under an answer that did not come to its own end."""

import pytest

from app.web.failures import ending


@pytest.mark.parametrize(
    ("status", "reason", "is_blank", "said"),
    [
        ("complete", "stop", False, ""),
        ("complete", None, False, ""),
        ("generating", None, True, ""),
        ("complete", "stop", True, "The model answered with nothing."),
        ("complete", "length", False, "The answer reached the longest length that is set."),
        ("complete", "content_filter", False, "The model server withheld the rest of this answer."),
        ("complete", "refusal", False, "The model refused to answer."),
        ("complete", "tool_calls", True, "The model asked for a tool, and there is none here."),
        ("complete", "LANGUAGE", False, "The model server ended the answer with “LANGUAGE”."),
        ("complete", "{0}", False, "The model server ended the answer with “{0}”."),
        ("stopped", "cancelled", False, "Stopped."),
        ("stopped", "limit", False, "The answer took too long and was stopped."),
        ("stopped", None, True, "Stopped."),
    ],
)
def test_the_end_is_explained_where_it_is_worth_a_word(
    status: str, reason: str | None, is_blank: bool, said: str
) -> None:
    assert ending(status, reason, is_blank=is_blank) == said
