"""The converter's style attributes as classes: our policy refuses the former, static/css/maths.css has the latter."""

import colorsys
import re

# All declarations that the converter can write but those of `_class`; what comes with another one needs no class.
DECLARATIONS = {
    "text-align: left": "math-left",
    "text-align: right": "math-right",
    "justify-items: start": "",
    "justify-items: end": "",
    "padding-left: 0": "math-flush-left",
    "padding-right: 0": "math-flush-right",
    "padding-top: 0": "math-flush",
    "padding-bottom: 0": "",
    "padding-left: 1em": "math-far",
    "padding-left: 0.1em": "math-rules",
    "padding-right: 0.1em": "",
    "padding-top: 0.1667em": "math-strut",
    "padding-left: 0.1667em": "math-before-3",
    "padding-left: 0.2222em": "math-before-4",
    "padding-left: 0.2778em": "math-before-5",
    "padding-right: 0.1667em": "math-after-3",
    "padding-right: 0.2222em": "math-after-4",
    "padding-right: 0.2778em": "math-after-5",
    "border-left: 0.05em solid currentcolor": "math-rule-left",
    "border-right: 0.05em solid currentcolor": "math-rule-right",
    "border-top: 0.05em solid currentcolor": "math-rule-top",
    "border-left: 0.05em dashed currentcolor": "math-dashes-left",
    "border-right: 0.05em dashed currentcolor": "math-dashes-right",
    "border-top: 0.05em dashed currentcolor": "math-dashes-top",
    "width: 100%": "math-wide",
    "width: 50%": "math-side",
    "width: 7.5%": "math-edge",
    "font-variant-caps: small-caps": "math-small-caps",
    "math-shift: compact": "math-compact",
    **{f"font-size: {size}%": f"math-size-{size}" for size in (50, 60, 70, 80, 90, 120, 140, 170, 200, 250)},
    "font-size: 100%": "",
}
# By hue: of any red our own, which can be read on both papers.
HUES = {15: "red", 45: "orange", 70: "yellow", 160: "green", 200: "teal", 260: "blue", 300: "purple", 340: "pink"}
BACKS = (3, 4, 5, 9, 18, 36)  # eighteenths of an em, by which space is taken away
KEPT = ("menclose-updiagonalstrike", "menclose-downdiagonalstrike", "menclose-phasorangle")
RENAMED = {"math-core-serif-font": "math-serif", "math-core-sans-serif-font": "math-sans"}
CLASSES = {
    *filter(None, DECLARATIONS.values()),
    *(f"math-{hue}" for hue in {*HUES.values(), "grey"}),
    *(f"math-back-{back}" for back in BACKS),
    *KEPT,
    "math-end",  # of app/rendering/math_tables.py
    *RENAMED.values(),
}

# Lines and tildes over and under something, of the characters that browsers stretch sideways.
_STRETCHED = {
    '<mo stretchy="true">\u0332</mo></mover>': '<mo stretchy="true">\u203e</mo></mover>',
    '<mo stretchy="true">\u0332</mo></munder>': '<mo stretchy="true">_</mo></munder>',
    '<mo stretchy="true">~</mo></mover>': '<mo stretchy="true">\u02dc</mo></mover>',
}
# Within a tag: what a formula's text has of `<` and `"` is escaped.
_STYLED = re.compile(r'(<[a-z]+(?: [a-z]+="[^"<>]*")*?) style="([^"<>]*)"')
_CLASSED = re.compile(r'(<(?:span|mrow) class=")([a-z-]+)"')


def with_classes(mathml: str) -> str:
    """Raises KeyError for a style that no class is known for."""
    for written, stretched in _STRETCHED.items():
        mathml = mathml.replace(written, stretched)
    mathml = _CLASSED.sub(lambda found: f'{found[1]}{RENAMED.get(found[2], found[2])}"', mathml)
    return _STYLED.sub(_classed, mathml)


def _classed(found: re.Match[str]) -> str:
    declarations = (declaration.split(":") for declaration in found[2].split(";") if declaration.strip())
    names = " ".join(filter(None, (_class(name.strip(), value.strip()) for name, value in declarations)))
    return f'{found[1]} class="{names}"' if names else found[1]


def _class(name: str, value: str) -> str:
    if name == "color":
        return _colour(value)
    if name == "margin-left":
        return _back(value)
    if name == "width" and value.endswith("rem"):
        return ""  # said by an attribute too
    return DECLARATIONS[f"{name}: {value}"]


def _colour(value: str) -> str:
    red, green, blue = (int(value[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    if saturation < 0.15 or not 0.05 < light < 0.97:
        return "math-grey" if 0.2 < light < 0.97 else ""
    return "math-" + next((name for end, name in HUES.items() if hue * 360 < end), "red")


def _back(value: str) -> str:
    """The nearest there is: in em, by which also `rem` may be read here."""
    wanted = abs(float(re.sub(r"[a-z%]+$", "", value))) * 18
    return f"math-back-{min(BACKS, key=lambda back: abs(back - wanted))}"
