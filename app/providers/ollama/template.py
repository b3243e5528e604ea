"""Whether a model goes on from an answer's beginning, by its template: a small reader of Go's text/template.

https://pkg.go.dev/text/template; what Ollama puts into a template is in its template/template.go. A template without
`.Messages` is written by Ollama up to the answer's text and cut there. One with it may end the answer's turn and begin
another: then a continued answer is a second one.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

BEGINNING = "tea-and-water"  # of an answer
_MOST_NODES = 20_000  # written; real templates take some hundred
_MOST_WRITTEN = 200_000  # characters
_ACTION = re.compile(r"\{\{(-(?=\s))?(.*?)((?<=\s)-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>\s*)(?:(?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<number>-?\d+)|(?P<word>\$?[A-Za-z_]\w*|\$)"""
    r"""|(?P<field>\.[A-Za-z_]\w*)|(?P<sign>:=|[.|(),=]))\s*?"""
)


_EMPTY_MESSAGE: dict[str, Any] = {"Thinking": "", "ToolCalls": [], "ToolName": "", "ToolCallID": "", "Images": []}
_EMPTY: dict[str, Any] = {
    "System": "",
    "Prompt": "",
    "Suffix": "",
    "Response": "",
    "Tools": [],
    "Think": False,
    "ThinkLevel": "",
    "IsThinkSet": False,
}


class NotUnderstood(Exception):
    """The template uses what is not read here."""


def goes_on(template: str) -> bool:
    """Raises NotUnderstood."""
    if ".Messages" not in template:
        return True
    said = {"user": "Tea?", "assistant": BEGINNING}
    messages = [_EMPTY_MESSAGE | {"Role": role, "Content": content} for role, content in said.items()]
    return render(template, _EMPTY | {"Messages": messages}).endswith(BEGINNING)


def render(template: str, data: Mapping[str, Any]) -> str:
    """Raises NotUnderstood."""
    try:
        writer = _Writer(data)
        writer.write(_Reader(template).body, data)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError) as error:
        raise NotUnderstood(str(error)) from error
    return "".join(writer.out)


class _Token(NamedTuple):
    kind: str
    text: str
    is_attached: bool  # to the one before


@dataclass(slots=True)
class _Operand:
    """A constant, a name, a field of the dot or a pipeline in parentheses; then fields of it."""

    kind: str
    value: Any
    fields: list[str] = field(default_factory=list)

    @property
    def is_function(self) -> bool:
        return self.kind == "word" and self.value in _FUNCTIONS


_Pipeline = list[list[_Operand]]


@dataclass(slots=True)
class _Shown:
    """`names`: the variables that are set instead of showing it."""

    value: _Pipeline
    names: list[str]
    is_new: bool


@dataclass(slots=True)
class _Branch:
    kind: str  # if, range or with
    names: list[str]
    value: _Pipeline
    body: list[Any]
    otherwise: list[Any] = field(default_factory=list)


class _Reader:
    def __init__(self, template: str) -> None:
        self._parts = _parts_of(template)
        self.body, ended_by = self._read_body()
        if ended_by:
            raise NotUnderstood("an end without a beginning")

    def _read_body(self) -> tuple[list[Any], list[_Token]]:
        """Nodes up to an `end` or `else`, and that action."""
        body: list[Any] = []
        for part in self._parts:
            if isinstance(part, str):
                body.append(part)
                continue
            word = part[0].text if part[0].kind == "word" else ""
            if word in ("end", "else"):
                return body, part
            if word in ("if", "range", "with"):
                body.append(self._read_branch(part))
            elif word in ("break", "continue"):
                body.append((word,))
            elif word in ("define", "template", "block"):
                raise NotUnderstood(word)
            else:
                names, is_new, value = _assignment(part)
                body.append(_Shown(value, names, is_new))
        return body, []

    def _read_branch(self, action: list[_Token]) -> _Branch:
        names, _, value = _assignment(action[1:])
        body, ended_by = self._read_body()
        branch = _Branch(action[0].text, names, value, body)
        if len(ended_by) > 1:  # else if: it takes our end for its own
            branch.otherwise = [self._read_branch(ended_by[1:])]
        elif ended_by and ended_by[0].text == "else":
            branch.otherwise, ended_by = self._read_body()
        if not ended_by:
            raise NotUnderstood("no end")
        return branch


def _parts_of(template: str) -> Iterator[str | list[_Token]]:
    """Texts, and actions as tokens; white space that an action trims is gone."""
    at, trims = 0, False
    last = template.rfind("}}") + 2  # behind it an action would look for its end in vain, each anew
    for found in _ACTION.finditer(template, 0, last):
        text = template[at : found.start()]
        text = text.lstrip() if trims else text
        yield text.rstrip() if found[1] else text
        at, trims = found.end(), bool(found[3])
        inside = found[2].strip()
        if inside and not inside.startswith("/*"):
            yield list(_tokens_of(inside))
    yield template[at:].lstrip() if trims else template[at:]


def _tokens_of(action: str) -> Iterator[_Token]:
    at = 0
    while at < len(action):
        found = _TOKEN.match(action, at)
        if found is None:
            raise NotUnderstood(action[at : at + 20])
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], at > 0 and not found["space"])
        at = found.end()


def _assignment(tokens: Sequence[_Token]) -> tuple[list[str], bool, _Pipeline]:
    """`$a, $b := value`: the names, whether they are new, the value."""
    for at, token in enumerate(tokens):
        if token.text in (":=", "=") and token.kind == "sign":
            names = [other.text for other in tokens[:at] if other.kind == "word"]
            return names, token.text == ":=", _pipeline(tokens[at + 1 :])
    return [], False, _pipeline(tokens)


def _pipeline(tokens: Sequence[_Token]) -> _Pipeline:
    """Commands, each a list of operands."""
    outer: list[_Pipeline] = []
    commands: _Pipeline = [[]]
    for kind, text, is_attached in tokens:
        operands = commands[-1]
        if kind == "sign" and text == "(":
            outer.append(commands)
            commands = [[]]
        elif kind == "sign" and text == ")":
            inner, commands = commands, outer.pop()
            commands[-1].append(_Operand("pipeline", inner))
        elif kind == "sign" and text == "|":
            commands.append([])
        elif kind == "field" and is_attached and operands:
            operands[-1].fields.append(text[1:])
        elif kind == "field":
            operands.append(_Operand("dot", None, [text[1:]]))
        elif kind == "sign":
            operands.append(_Operand("dot", None))
        else:
            operands.append(_Operand(kind, text))
    if outer or not all(commands):
        raise NotUnderstood("parentheses")
    return commands


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Writer:
    def __init__(self, data: Mapping[str, Any]) -> None:
        self.out: list[str] = []
        self._size = 0
        self._scopes: list[dict[str, Any]] = [{"$": data}]
        self._nodes = 0

    def write(self, body: Sequence[Any], dot: Any, **variables: Any) -> None:
        self._scopes.append(variables)
        try:
            for node in body:
                self._write_node(node, dot)
        finally:
            self._scopes.pop()

    def _write_node(self, node: Any, dot: Any) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise NotUnderstood("too long")
        if isinstance(node, str):
            self._say(node)
        elif isinstance(node, tuple):
            raise _Break if node[0] == "break" else _Continue
        elif isinstance(node, _Branch):
            self._write_branch(node, dot)
        else:
            value = self._value_of(node.value, dot)
            if not node.names:
                self._say(_printed(value))
            for name in node.names:
                (self._scopes[-1] if node.is_new else self._scope_of(name))[name] = value

    def _say(self, text: str) -> None:
        self._size += len(text)
        if self._size > _MOST_WRITTEN:
            raise NotUnderstood("too long")
        self.out.append(text)

    def _write_branch(self, node: _Branch, dot: Any) -> None:
        value = self._value_of(node.value, dot)
        if node.kind == "range":
            self._write_range(node, value, dot)
        elif not value:
            self.write(node.otherwise, dot)
        else:
            self.write(node.body, value if node.kind == "with" else dot, **dict.fromkeys(node.names, value))

    def _write_range(self, node: _Branch, value: Any, dot: Any) -> None:
        if not value:
            self.write(node.otherwise, dot)
            return
        if not isinstance(value, list):
            raise NotUnderstood("a range over what is no list")
        for index, item in enumerate(value):
            named = dict(zip(node.names, (index, item) if len(node.names) > 1 else (item,), strict=False))
            try:
                self.write(node.body, item, **named)
            except _Break:
                break
            except _Continue:
                continue

    def _scope_of(self, name: str) -> dict[str, Any]:
        found = [scope for scope in self._scopes if name in scope]
        if found:
            return found[-1]
        raise NotUnderstood(name)

    def _value_of(self, commands: _Pipeline, dot: Any) -> Any:
        value: Any = None
        for number, operands in enumerate(commands):
            piped = [value] if number else []
            first = operands[0]
            if first.is_function:
                value = _FUNCTIONS[first.value](*(self._operand(other, dot) for other in operands[1:]), *piped)
            elif len(operands) > 1 or piped:
                raise NotUnderstood("a value that is called")
            else:
                value = self._operand(first, dot)
        return value

    def _operand(self, operand: _Operand, dot: Any) -> Any:
        match operand.kind:
            case "string":
                value: Any = _unquoted(operand.value)
            case "number":
                value = int(operand.value)
            case "dot":
                value = dot
            case "pipeline":
                value = self._value_of(operand.value, dot)
            case _ if operand.value in _CONSTANTS:
                value = _CONSTANTS[operand.value]
            case _ if operand.is_function:
                value = _FUNCTIONS[operand.value]()
            case _:
                value = self._scope_of(operand.value)[operand.value]
        for name in operand.fields:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


def _unquoted(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]
    return text[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")


def _printed(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _joined(values: Sequence[Any]) -> str:
    texts = [_printed(value) for value in values]
    if sum(map(len, texts)) > _MOST_WRITTEN:  # a text that is joined with itself doubles each time
        raise NotUnderstood("too long")
    return "".join(texts)


def _first(values: Sequence[Any], *, is_true: bool) -> Any:
    return next((value for value in values if bool(value) == is_true), values[-1])


def _indexed(value: Any, *keys: Any) -> Any:
    for key in keys:
        value = value[key]
    return value


_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "nil": None}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "eq": lambda value, *others: value in others,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "and": lambda *values: _first(values, is_true=False),
    "or": lambda *values: _first(values, is_true=True),
    "not": lambda value: not value,
    "len": len,
    "slice": lambda value, start=0, end=None: value[start:end],
    "index": _indexed,
    "print": lambda *values: _joined(values),
    "json": lambda value: orjson.dumps(value).decode(),
    "currentDate": lambda: datetime.now(UTC).date().isoformat(),
}
