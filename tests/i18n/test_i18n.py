"""Which language, and what a sentence becomes in it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app import i18n
from app.i18n import best_locale, gettext, show_datetime, show_month, show_number, translated, worded


@pytest.fixture
def chinese() -> Iterator[None]:
    token = i18n.locale.set("zh-CN")
    yield
    i18n.locale.reset(token)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr, zh-TW;q=0.8, en;q=0.5", "zh-CN"),
        ("en;q=0.3, zh;q=0.7", "zh-CN"),
        ("fr,de", "en"),
        ("", "en"),
        ("zh;q=x,,;;q=,en;q=1e400", "en"),
        ("*" * 5000, "en"),
    ],
)
def test_the_browsers_languages_decide_in_their_order(header: str, expected: str) -> None:
    assert best_locale(header) == expected


def test_worded_is_plain_english_until_a_page_shows_it(chinese: None) -> None:
    refusal = worded("A title has 1 to {most} characters.", most=200)
    assert refusal == "A title has 1 to 200 characters."
    assert translated(refusal) == "标题有 1 到 200 个字符。"


def test_a_sentence_that_no_catalogue_has_stays_as_it_is(chinese: None) -> None:
    assert translated("The model's own words: 100% {odd}") == "The model's own words: 100% {odd}"
    assert translated("") == "", "the catalogue's own head stands under the empty sentence"
    assert gettext("New conversation") == "新对话"


def test_months_times_and_numbers_are_written_as_the_language_does(chinese: None) -> None:
    moment = datetime(2026, 3, 5, 14, 7, tzinfo=UTC)
    assert show_month(moment) == "2026年3月"
    assert show_datetime(moment, pattern="short") == "2026/3/5 14:07"
    assert show_number(12345.678, 1) == "12,345.7"
    i18n.locale.set("en")
    assert show_month(moment) == "March 2026"
