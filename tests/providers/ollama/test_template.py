"""The small reader of Go's templates: what a template says of a trailing answer."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.ollama.template import BEGINNING, NotUnderstood, goes_on, render

CLOSES = """{{- if .System }}<|s|>{{ .System }}<|e|>
{{ end }}{{ range .Messages }}<|{{ .Role }}|>
{{ .Content }}<|e|>
{{ end }}<|assistant|>
"""
KEEPS = """{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<|user|>
{{ .Content }}<|e|>
{{ else if eq .Role "assistant" }}<|assistant|>
{{- if .ToolCalls }}{{ range .ToolCalls }}{"name": "{{ .Function.Name }}"}{{ end }}{{ end }}
{{ .Content }}{{ if not $last }}<|e|>
{{ end }}
{{- end }}
{{- if and (ne .Role "assistant") $last }}<|assistant|>
{{ end }}
{{- end }}"""


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ .Prompt }}", True),
        ("{{ if .System }}{{ .System }} {{ end }}USER: {{ .Prompt }} ASSISTANT: {{ .Response }}</s>", True),
        (CLOSES, False),
        (KEEPS, True),
        ("{{ range .Messages }}{{ .Content }}\n{{ end }}", False),
        ("{{ range .Messages }}{{ .Content }}\n{{- end }}", True),
        ('{{ range $m := .Messages }}{{ if eq $m.Role "assistant" }}{{ $m.Content }}{{ end }}{{ end }}', True),
        ('{{ range .Messages }}{{ if ne .Role "assistant" }}{{ continue }}{{ end }}{{ .Content }}{{ end }}', True),
        ("{{ range .Messages }}{{ .Content }}{{ break }}{{ end }}", False),
        ("{{ with .Messages }}{{ (index . 1).Content }}{{ end }}", True),
        ("{{ range .Messages }}{{ with .Thinking }}<think>{{ . }}</think>{{ end }}{{ .Content }}{{ end }}", True),
        (
            "{{ $end := false }}{{ range .Messages }}{{ $end = true }}{{ .Content }}{{ end }}{{ if $end }}.{{ end }}",
            False,
        ),
        ("{{ range .Messages }}{{ .Content }}{{ else }}nothing{{ end }}{{/* no end */}}", True),
        ("{{ range .Messages }}{{ .Content }}{{ end }}{{ if or .Tools $.IsThinkSet }}x{{ end }}", True),
        ("{{ range .Messages }}{{ .Content | print }}{{ end }}{{ currentDate }}", False),
        (
            '{{ range .Messages }}{{ .Content }}{{ end }}{{ if eq (index .Messages 0).Role "user" "tool" }}x{{ end }}',
            False,
        ),
    ],
)
def test_whether_an_answer_is_gone_on_from(template: str, expected: bool) -> None:
    assert goes_on(template) is expected


@pytest.mark.parametrize(
    "template",
    [
        '{{ template "x" }}{{ .Messages }}',
        "{{ range .Messages }}{{ .Content }}",
        "{{ range .Messages }}{{ .Content }}{{ end }}{{ end }}",
        "{{ range .Messages }}{{ unheardOf .Content }}{{ end }}",
        "{{ range .Messages }}{{ $nothing }}{{ end }}",
        "{{ range .Messages }}{{ (.Content }}{{ end }}",
        "{{ range .Messages }}{{ index . 5 }}{{ end }}",
        "{{ range .Messages }}{{ .Content 5 }}{{ end }}",
        "{{ range .Messages }}{{ ?? }}{{ end }}",
        "{{ range $.Messages }}" * 20 + "x" + "{{ end }}" * 20,
    ],
)
def test_what_is_not_understood_is_no_answer(template: str) -> None:
    with pytest.raises(NotUnderstood):
        goes_on(template)


@pytest.mark.parametrize(
    ("template", "written"),
    [
        ("a {{- .X }} b", "a1 b"),
        ("a {{ .X -}} b", "a 1b"),
        ("a{{/* c */}}b", "ab"),
        (r'{{ "tab\there" }}|{{ `raw\n` }}', "tab\there|raw\\n"),
        ("{{ if false }}a{{ else if .X }}b{{ else }}c{{ end }}", "b"),
        ("{{ .Missing.Deeper }}{{ nil | not }}", "true"),
        ("{{ len .List }}{{ slice .List 1 | len }}{{ index .List 0 }}{{ lt 1 2 }}{{ ge 1 2 }}", "21onetruefalse"),
        ("{{ range $i, $x := .List }}{{ $i }}{{ $x }}{{ end }}", "0one1two"),
        ("{{ json .List }}", '["one","two"]'),
        ("{{ $a := 1 }}{{ if true }}{{ $a := 2 }}{{ $a }}{{ end }}{{ $a }}", "21"),
        ("{{ $a := 1 }}{{ if true }}{{ $a = 2 }}{{ end }}{{ $a }}", "2"),
    ],
)
def test_what_is_written(template: str, written: str) -> None:
    assert render(template, {"X": 1, "List": ["one", "two"]}) == written


PIECES = '{{ , }},{{- ,range .Messages,end,if,else,.Content,eq .Role,"user",$x := ,(,),|,\n,' + BEGINNING
pieces = st.sampled_from(PIECES.split(","))


@given(st.lists(pieces | st.text(max_size=3), max_size=30))
def test_whatever_a_template_is_there_is_an_answer_or_none(parts: list[Any]) -> None:
    with contextlib.suppress(NotUnderstood):
        goes_on("{{ .Messages }}" + "".join(parts))
