"""Every sentence that people can be shown exists in every language."""

import re
import string

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from app.i18n import DEFAULT, LOCALES, Locale, catalogue_path, spelled
from app.i18n.extraction import as_text, extracted, updated
from tests.architecture.source import ROOT

OTHERS = [locale for locale in LOCALES if locale != DEFAULT]
# Words between tags or in attributes that are read, which no call to `_` has wrapped.
TEXT = re.compile(r">([^<>{}]*[A-Za-z]{2}[^<>{}]*)<")
ATTRIBUTE = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"{}]*[A-Za-z]{2}[^"{}]*)"')
NAMES = {
    "Teahouse",
    "Ollama",
    "UTF-8",
    "Markdown",
    "JSON",
    "English",
    "简体中文",
    "Ctrl",
    "Esc",
    "Enter",
    "Shift",
    "Alt",
}


def messages(locale: Locale) -> list[Message]:
    with catalogue_path(locale).open("rb") as file:
        return [message for message in read_po(file, locale=spelled(locale)) if message.id]


def test_there_are_sentences_to_translate() -> None:
    found = {message.id for message in extracted() if isinstance(message.id, str)}
    assert {"New conversation", "A message needs some text."} <= found and len(found) > 100


@pytest.mark.parametrize("locale", OTHERS)
def test_the_catalogue_is_up_to_date_and_complete(locale: Locale) -> None:
    kept = catalogue_path(locale).read_text()
    assert kept == as_text(updated(locale)), "run `make translations`"
    missing = [message.id for message in messages(locale) if not all(message.string or ("",))]
    assert missing == []


def _places(text: str) -> set[str]:
    """What is filled in: `%(n)s` and `{n}`."""
    named = set(re.findall(r"%\((\w+)\)", text))
    return named | {name for _, name, _, _ in string.Formatter().parse(re.sub(r"%\(\w+\)\w", "", text)) if name}


@pytest.mark.parametrize("locale", OTHERS)
def test_a_translation_fills_in_what_its_sentence_fills_in(locale: Locale) -> None:
    for message in messages(locale):
        sentences = [message.id] if isinstance(message.id, str) else list(message.id)
        translations = [message.string] if isinstance(message.string, str) else list(message.string or ())
        for translation in translations:
            assert _places(translation) == _places(sentences[-1]), sentences[-1]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z][\w-]+", text))


def test_no_word_in_a_template_escapes_translation() -> None:
    escaped = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if path.parent.name == "api":
            continue
        plain = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", lambda found: " " if found[0].startswith("{#") else "{}",
                       path.read_text(), flags=re.S)  # fmt: skip
        plain = re.sub(r"<(code|kbd|svg|pre)\b.*?</\1>", "", plain, flags=re.S)
        texts = [text for text in TEXT.findall(plain) + ATTRIBUTE.findall(plain) if _words(text) - NAMES]
        escaped += [f"{path.relative_to(ROOT)}: {text.strip()}" for text in texts]
    assert escaped == []
