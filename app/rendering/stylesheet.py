"""Makes static/css/highlight.css: `python -m app.rendering.stylesheet > static/css/highlight.css`."""

import re
import sys

LIGHT, DARK = "tango", "github-dark"
# What the pages put behind code, see static/css/tokens.css.
LIGHT_PAPER, DARK_PAPER = "f3efe7", "121110"
CONTRAST = 4.5
UNCOLOURED = ("var(--ink)", "")

_RULE = re.compile(r"\.(?P<name>\w+) \{ (?P<style>[^}]*) \}")
_COLOUR = re.compile(r"(?<![-\w])color: #(?P<colour>[0-9A-Fa-f]{6}|[0-9A-Fa-f]{3})\b")


def stylesheet() -> str:
    """One rule for all classes that look the same: the colours of both themes, the light one's weight and slant."""
    light, dark = _rules(LIGHT, LIGHT_PAPER), _rules(DARK, DARK_PAPER)
    names: dict[str, list[str]] = {}
    for name in light | dark:
        (light_colour, shape), (dark_colour, _) = light.get(name, UNCOLOURED), dark.get(name, UNCOLOURED)
        names.setdefault(f"color: light-dark({light_colour}, {dark_colour});{shape}", []).append(name)
    rules = [f".code :is({', '.join('.' + n for n in same)}) {{ {style} }}\n" for style, same in names.items()]
    return "/* Made by `python -m app.rendering.stylesheet`; do not edit. */\n" + "".join(rules)


def contrast(first: str, second: str) -> float:
    """WCAG's ratio of two colours, each six hexadecimal digits."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _readable(colour: str, paper: str) -> str:
    """The colour, moved towards black or white until it can be read."""
    colour = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    towards = 255 if _luminance(paper) < 0.5 else 0
    while contrast(colour, paper) < CONTRAST:
        parts = (int(colour[at : at + 2], 16) for at in (0, 2, 4))
        colour = "".join(f"{part + round((towards - part) * 0.08 + (0.5 if towards else -0.5)):02x}" for part in parts)
    return colour.lower()


def _rules(style: str, paper: str) -> dict[str, tuple[str, str]]:
    """Colour and shape by class of token. Only what makes words differ: the background is the page's."""
    from pygments.formatters import HtmlFormatter
    from pygments.token import STANDARD_TYPES

    lines = HtmlFormatter(style=style).get_style_defs(".code")  # type: ignore[no-untyped-call]
    rules = {}
    for rule in _RULE.finditer(str(lines)):
        colour = _COLOUR.search(rule["style"])
        shape = "".join(f" {part};" for part in re.findall(r"font-(?:weight|style): \w+", rule["style"]))
        if rule["name"] in STANDARD_TYPES.values() and rule["name"] not in ("err", "w") and (colour or shape):
            rules[rule["name"]] = ("#" + _readable(colour["colour"], paper) if colour else "var(--ink)", shape)
    return rules


if __name__ == "__main__":
    sys.stdout.write(stylesheet())
