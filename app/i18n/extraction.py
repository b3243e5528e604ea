"""Brings the catalogues up to date with the sentences in code and templates: `python -m app.i18n.extraction`."""

import json
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from app.i18n import DEFAULT, LOCALES, Locale, catalogue_path, spelled

ROOT = Path(__file__).parents[2]
# What is called with a sentence, and as which argument (`c` = its context).
PYTHON_CALLS: dict[str, Any] = {
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "worded": None,
    "invalid": (2,),
    "AppError": (3,),
    "FieldError": (3,),
    "EdgeError": (3,),
}
TEMPLATE_CALLS: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
# The same in the frontend: t("…"), and tn("…", "…") for one and for several.
_STRING = r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_FRONTEND = re.compile(rf"\bt(n)?\(\s*{_STRING}(?:\s*,\s*{_STRING})?")
JINJA = {"trim_blocks": "true", "lstrip_blocks": "true"}


def extracted() -> Catalog:
    """Every sentence with the files it stands in. No line numbers: they would change with each edit."""
    catalog = Catalog(project="Teahouse", charset="utf-8")
    for place, message, comments, context in _found():
        catalog.add(message, None, [(place, 0)], auto_comments=comments, context=context)
    return catalog


def _found() -> Iterator[tuple[str, Any, list[str], str | None]]:
    sources: tuple[tuple[str, str, str, dict[str, Any], dict[str, str]], ...] = (
        ("app", "**.py", "python", PYTHON_CALLS, {}),
        ("templates", "**.html", "jinja2", TEMPLATE_CALLS, JINJA),
    )
    for folder, pattern, method, calls, options in sources:
        for name, _, message, comments, context in extract_from_dir(
            ROOT / folder, [(pattern, method)], {pattern: options}, keywords=calls, comment_tags=("For translators:",)
        ):
            yield f"{folder}/{name}", message, comments, context
    for path in sorted((ROOT / "frontend-islands" / "src").rglob("*")):
        if path.suffix in (".ts", ".vue") and not path.name.endswith((".test.ts", ".d.ts")):
            for plural, first, second in _FRONTEND.findall(path.read_text()):
                message = (_text(first), _text(second)) if plural else _text(first)
                yield path.relative_to(ROOT).as_posix(), message, [], None


def _text(literal: str) -> str:
    if literal.startswith("'"):
        literal = '"' + literal[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    return str(json.loads(literal))


def updated(locale: Locale) -> Catalog:
    """The catalogue with what is new, without what is gone."""
    path = catalogue_path(locale)
    catalog = Catalog(locale=spelled(locale), project="Teahouse", charset="utf-8")
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=spelled(locale))
    catalog.update(extracted(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    return catalog


def as_text(catalog: Catalog) -> str:
    """As it is kept: sorted, without dates and line numbers, so that it changes only with its sentences."""
    buffer = BytesIO()
    write_po(buffer, catalog, width=120, omit_header=True, sort_output=True, include_lineno=False)
    language = str(catalog.locale)
    head = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    head += f'"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    return head + buffer.getvalue().decode().strip() + "\n"


def main() -> None:
    for locale in LOCALES:
        if locale == DEFAULT:
            continue
        catalog = updated(locale)
        catalogue_path(locale).write_text(as_text(catalog))
        missing = [message.id for message in catalog if message.id and not message.string]
        sys.stdout.write(f"{locale}: {len(catalog)} sentences, {len(missing)} without translation\n")


if __name__ == "__main__":
    main()
