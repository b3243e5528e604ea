"""Functions of the database that differ in name from one to the other."""

from typing import Any

from sqlalchemy import String, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import Boolean


class has_word(GenericFunction[bool]):  # noqa: N801
    """Whether a text has a word, whatever the case; the word is given casefolded."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, text: Any, word: str) -> None:
        super().__init__(text, type_coerce(word, String()))


@compiles(has_word, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    text, word = (compiler.process(clause, **options) for clause in element.clauses)
    return f"instr(casefold({text}), {word}) > 0"


@compiles(has_word, "postgresql")
def _on_postgres(element: Any, compiler: Any, **options: Any) -> str:
    text, word = (compiler.process(clause, **options) for clause in element.clauses)
    return f"strpos(teahouse_casefold({text}), {word}) > 0"
