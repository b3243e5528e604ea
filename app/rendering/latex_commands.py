r"""Commands that the converter does not know, in those that it does: `\ce`, `\text` with formulas in it, `\dv` …"""

import re

from app.rendering.chemistry import chemistry

# Of physics, mathtools and others. Each argument is used once: nothing grows by being nested.
MACROS = {
    "abs": r"\left|#1\right|",
    "norm": r"\left\|#1\right\|",
    "order": r"\mathcal{O}\left(#1\right)",
    "ev": r"\left\langle#1\right\rangle",
    "expval": r"\left\langle#1\right\rangle",
    "ip": r"\left\langle#1\middle|#2\right\rangle",
    "innerproduct": r"\left\langle#1\middle|#2\right\rangle",
    "op": r"\left|#1\right\rangle\!\left\langle#2\right|",
    "ketbra": r"\left|#1\right\rangle\!\left\langle#2\right|",
    "mel": r"\left\langle#1\middle|#2\middle|#3\right\rangle",
    "matrixel": r"\left\langle#1\middle|#2\middle|#3\right\rangle",
    "comm": r"\left[#1,#2\right]",
    "commutator": r"\left[#1,#2\right]",
    "acomm": r"\left\{#1,#2\right\}",
    "vb": r"\mathbf{#1}",
    "vectorbold": r"\mathbf{#1}",
    "vu": r"\hat{\mathbf{#1}}",
    "dd": r"\mathrm{d}#1",
    "grad": r"\boldsymbol{\nabla}",
    "curl": r"\boldsymbol{\nabla}\times",
    "laplacian": r"\nabla^2",
    **{name: rf"\operatorname{{{name}}}" for name in ("Tr", "tr", "rank", "diag", "sgn", "lcm")},
    "mathds": r"\mathbb{#1}",
    "pmb": r"\boldsymbol{#1}",
    "cancelto": r"\cancel{#2}^{#1}",
    "substack": r"\begin{subarray}{c}#1\end{subarray}",
    "nicefrac": r"{#1}/{#2}",
    **dict.fromkeys(("ensuremath", "smash"), "{#1}"),
}

_GROUP = r"(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{[^{}]*+\})*+\})*+\})*+"
_ARGUMENT = re.compile(rf"\s*\{{({_GROUP})\}}", re.DOTALL)
_SCRIPT = re.compile(
    rf"\s*(?P<sign>[_^])\s*(?:\{{(?P<group>{_GROUP})\}}|(?P<token>\\[A-Za-z]++|[^\s\\{{}}]))", re.DOTALL
)
_COMMAND = re.compile(
    r"\\(?:(?P<text>text|textrm|textnormal|textbf|textit|mbox|hbox)|(?P<ce>ce)|(?P<mathop>mathop)|(?P<tag>tag\*?)"
    r"|(?P<derivative>dv|pdv|derivative|pderivative))(?![A-Za-z])"
)
_ORDER = re.compile(r"\s*\[\s*(\w{1,3})\s*\]")
_LIMITS = re.compile(r"\s*\\limits(?![A-Za-z])")
_UPRIGHT = re.compile(r"\\(?:mathrm|text|textrm|rm|operatorname)\*?(?:\s*\{([^{}]*)\}|\s([^{}\\]*))")
_NAME = re.compile(r"(?:[A-Za-z ]|\\[, ]|~)+")
_PLAIN_TAG = re.compile(r"[A-Za-z0-9 .,:*'+-]+")


def expanded(source: str, display: bool) -> str:
    parts, at = [], 0
    while found := _COMMAND.search(source, at):
        argument = _ARGUMENT.match(source, found.end())
        end, text = found.end(), None
        if found["derivative"]:
            text, end = _derivative(source, found["derivative"], found.end())
        elif argument and found["mathop"]:
            text, end = _operator(source, argument, display)
        elif argument:
            text, end = _one(found.lastgroup or "", found[0], argument[1], display), argument.end()
        parts += [source[at : found.start()], found[0] if text is None else text]
        at = end if text is not None else found.end()
    return "".join((*parts, source[at:])) if parts else source


def _one(kind: str, command: str, argument: str, display: bool) -> str | None:
    if kind == "ce":
        return chemistry(argument)
    if kind == "tag" and _PLAIN_TAG.fullmatch(argument):
        return f"{command}{{{argument}}}"
    if kind == "tag":
        mark = _text("\\text", argument, display)
        return mark and (rf"\qquad{mark}" if command.endswith("*") else rf"\qquad({mark})")
    return _text(command, argument, display)


def _text(command: str, argument: str, display: bool) -> str | None:
    """Every second part is a formula in the text."""
    command = {"\\mbox": "\\text", "\\hbox": "\\text", "\\textnormal": "\\text"}.get(command, command)
    parts = re.split(r"(?<!\\)\$", argument)
    if len(parts) == 1:
        return f"{command}{{{argument}}}"
    if len(parts) % 2 == 0:
        return None
    mixed = (expanded(part, display) if odd % 2 else f"{command}{{{part}}}" for odd, part in enumerate(parts))
    return "{" + "".join(mixed) + "}"


def _derivative(source: str, name: str, at: int) -> tuple[str | None, int]:
    r"""`\dv{x}`, `\dv{f}{x}`, `\dv[2]{f}{x}`, and `\pdv{f}{x}{y}`."""
    sign = r"\partial " if name.startswith("p") else r"\mathrm{d}"
    order = _ORDER.match(source, at)
    at = order.end() if order else at
    arguments: list[str] = []
    while len(arguments) < (3 if name.startswith("p") else 2) and (found := _ARGUMENT.match(source, at)):
        arguments.append(expanded(found[1], True))
        at = found.end()
    if not arguments or (len(arguments) == 3 and order):
        return None, at
    above, *below = arguments if len(arguments) > 1 else ("", *arguments)
    power = f"^{{{order[1]}}}" if order else "^2" if len(below) == 2 else ""
    each = "".join(f"{sign}{{{variable}}}" + (power if order else "") for variable in below)
    return rf"\frac{{{sign.strip()}{power}{{{above}}}}}{{{each}}}", at


def _operator(source: str, argument: re.Match[str], display: bool) -> tuple[str | None, int]:
    r"""What stands under `\mathop{…}` in a formula of its own stands under it, as under `\max`."""
    inner, end = expanded(argument[1], display), argument.end()
    upright = _UPRIGHT.fullmatch(inner.strip())
    name = (upright[1] or upright[2] or "") if upright else ""
    if _NAME.fullmatch(name):
        return rf"\operatorname*{{{name.strip()}}}", end
    limits = _LIMITS.match(source, end)
    if not limits and not display:
        return None, end
    end = limits.end() if limits else end
    result = inner
    while script := _SCRIPT.match(source, end):
        command = r"\underset" if script["sign"] == "_" else r"\overset"
        result = rf"{command}{{{script['group'] or script['token']}}}{{{result}}}"
        end = script.end()
    return rf"\mathop{{{result}}}", end
