"""The language that people are spoken to in: English in the code, catalogues for the others.

English sentences are the keys. `worded("… {most} …", most=8)` is English text that can still be translated later:
deep layers write it, only pages translate it. Babel is loaded when something is first translated or dated.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from babel.support import NullTranslations

Locale = Literal["en", "zh-CN"]
LOCALES: Mapping[Locale, str] = {"en": "English", "zh-CN": "简体中文"}
DEFAULT: Locale = "en"
FOLDER = Path(__file__).parent

# Of the page that is drawn now.
locale: ContextVar[Locale] = ContextVar("locale", default=DEFAULT)


class Worded(str):
    """An English sentence with its values filled in, that remembers the sentence and the values."""

    sentence: str
    values: Mapping[str, Any]

    def __new__(cls, sentence: str, values: Mapping[str, Any]) -> Self:
        made = super().__new__(cls, sentence.format(**values))
        made.sentence, made.values = sentence, values
        return made


def worded(sentence: str, **values: Any) -> Worded:
    return Worded(sentence, values)


def translated(text: str) -> str:
    """A sentence that another layer wrote, in the page's language; one that no catalogue has stays as it is."""
    if isinstance(text, Worded):
        return gettext(text.sentence).format(**text.values)
    return gettext(text) if text else ""


def gettext(message: str) -> str:
    return str(catalogue(locale.get()).gettext(message))


def ngettext(singular: str, plural: str, number: int) -> str:
    return str(catalogue(locale.get()).ngettext(singular, plural, number))


def pgettext(context: str, message: str) -> str:
    """The same word where it means something else."""
    return str(catalogue(locale.get()).pgettext(context, message))


@cache
def catalogue(name: Locale) -> "NullTranslations":
    """Compiled from the text file when it is first needed: nothing compiled has to be kept in step with it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import NullTranslations, Translations

    if name == DEFAULT:
        return NullTranslations()
    compiled = BytesIO()
    with catalogue_path(name).open("rb") as file:
        write_mo(compiled, read_po(file, locale=spelled(name)))
    compiled.seek(0)
    return Translations(compiled)


def catalogue_path(name: Locale) -> Path:
    return FOLDER / f"{spelled(name)}.po"


def spelled(name: Locale) -> str:
    """As Babel has it: zh_CN."""
    return name.replace("-", "_")


def best_locale(accept_language: str) -> Locale:
    """The first of a browser's languages that there is a catalogue for."""
    wanted = []
    for part in accept_language[:1000].split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=")
        wanted.append((-_number(quality, 1.0), tag.lower()))
    for _, tag in sorted(wanted, key=lambda item: item[0]):
        language = tag.partition("-")[0]
        for known in LOCALES:
            if language == known.partition("-")[0]:
                return known
    return DEFAULT


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise


def known_locale(name: str | None) -> Locale | None:
    return next((known for known in LOCALES if known == name), None)


def show_number(value: float, digits: int = 0) -> str:
    """12,345 or 12.3, as the page's language writes it."""
    from babel.numbers import format_decimal

    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, pattern, locale=spelled(locale.get()))


def show_datetime(moment: datetime, *, pattern: str = "medium") -> str:
    """In the zone that `moment` is in."""
    from babel.dates import format_datetime

    return format_datetime(moment, pattern, locale=spelled(locale.get()))


def show_month(moment: datetime) -> str:
    """“March 2026”."""
    from babel.dates import format_skeleton

    return format_skeleton("yMMMM", moment, locale=spelled(locale.get()))
