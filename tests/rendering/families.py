"""Texts made to cost much, as functions of their size: shapes that no single repeated string has."""

from collections.abc import Callable

Family = Callable[[int], str]


def repeated(shape: str) -> Family:
    return lambda size: (shape * (size // len(shape) + 1))[:size]


def _around(opening: str, middle: str, closing: str) -> Family:
    """As many of the one before the middle as of the other behind it."""
    return lambda size: filled(opening, size // 2) + middle + filled(closing, size // 2)


def _after(beginning: str, shape: str, end: str = "") -> Family:
    return lambda size: beginning + filled(shape, size) + end


def _numbered(*parts: str) -> Family:
    """Each part once for every number, one part's numbers after the other's."""
    length = sum(map(len, parts))
    return lambda size: "\n".join(
        "".join(part.format(n, n + 1) for n in range(max(1, size // length))) for part in parts
    )


def filled(shape: str, size: int) -> str:
    return shape * max(1, size // len(shape))


FAMILIES: dict[str, Family] = {
    # CommonMark
    "brackets": _around("[", "", "]"),
    "brackets, then one end": _after("", "[", "]"),
    "images in images": _around("![", "", "]"),
    "images in images with addresses": repeated("![" * 15 + "a" + "](http://b.c)" * 15),
    "links in links": repeated("[" * 15 + "a" + "](http://b.c)" * 15),
    "parentheses": _around("[a](x:", "", ")"),
    "a title without an end": _after('[a]: b "', "c\n"),
    "a label without an end": _after("[", "a\n"),
    "definitions": _numbered("[a{}]: http://b.c\n"),
    "definitions and their uses": _numbered("[a{}]: http://b.c\n", "[a{}] "),
    "one definition, many uses": _after("[a]: http://b.c\n\n", "[a]"),
    "one definition, many images": _after("[a]: http://b.c\n\n", "![a]"),
    "a long address": _after("[a](http://b.c/", "d", ")"),
    "a long host": _after("[a](http://", "b.", "/)"),
    "emphasis in emphasis": _around("*a ", "b", "a* "),
    "stars": _around("*", "a", "*"),
    "kinds of emphasis": _around("**a *b _c __d ", "e", "d__ c_ b* a** "),
    "code of many lengths": repeated(" ".join("`" * length for length in range(1, 40)) + " "),
    "entities": repeated("&amp;&#38;&x;"),
    "a quotation goes on": _after("> a\n", "b\n"),
    "a deep list goes on": _after("- " * 18 + "a\n", "b\n"),
    "a list that ends in blank lines": _after("- a\n", "\n", "  b"),
    "a heading below much": _after("", "a\n", "==="),
    "quotations": repeated(">" * 18 + "a\n"),
    "lines of empty images": repeated("![](a)\n"),
    "plain words": _after("a ", "b c "),
    "plain words in a label": _after("![", "b c "),
    # GitHub's
    "strokes in strokes": _around("~~a ", "b", "a~~ "),
    "addresses": repeated("http://a.b/c?d=e "),
    # What is too long for an address is shown as text, which costs more.
    "addresses as long as they may be": repeated("http://a.b/" + "?c&" * 600 + " "),
    "one long address": _after("http://a.b/" + "?c&" * 1000, "?c&"),
    "mail addresses": repeated("a@b.co "),
    "a long mail address": _around("a", "@", "b."),
    # Chinese, Japanese and Korean
    "emphasis without spaces": repeated("茶**「a」**茶*b*"),
    "lines without spaces": _after("茶", "*茶*\n"),
    "links over lines without spaces": repeated("[茶](http://b.c)\n"),
    "addresses without spaces": repeated("见http://a.b/c茶，http://茶"),
    "mail addresses without spaces": repeated("茶a@b.co"),
    "marks behind an address": _after("http://a.b/", "*,", "茶"),
    # Tables
    "a wide table": lambda size: f"{'a|' * (size // 4)}\n{'-|' * (size // 4)}\n",
    "a long table": _after("|a|b|\n|-|-|\n", "|c|d|\n"),
    "a table of code": _after("|a|\n|-|\n", "|`b`|\n"),
    "escaped pipes": _after("|a|\n|-|\n|", "\\|"),
    # Footnotes
    "footnotes": _numbered("[^{}]: a\n\n", "[^{}] "),
    "footnotes in footnotes": _numbered("[^{}]: a[^{}]\n\n", "[^{}]"),
    "one footnote, many uses": _after("[^a]: b\n\n", "[^a]"),
    # Maths
    "formulas": repeated("$x$ "),
    "one formula": lambda size: f"${'+' * min(size, 3900)}$",
    "braces": lambda size: "$" + "{" * min(size // 2, 190) + "}" * min(size // 2, 190) + "$ ",
    "dollars": _after("$", "a\\$", "$"),
    "a matrix": lambda size: r"$\begin{matrix}" + "&" * min(size, 3900) + r"\end{matrix}$",
    "a formula of lines": _after("$$\n", "a\n", "$$"),
    "openings of formulas": _after("", "$$\n\na\n\n"),
    "openings that are never closed": _after("", "$$\n\nlong words\n\n"),
    "environments that are never closed": _after("", "\\begin{align}\na\n"),
    "texts in formulas": _after("$", "\\text{$a$"),
    "commands of chemistry": lambda size: "$" + "\\ce{" * min(size // 5, 700) + "$",
    "brackets of formulas": _after("", "\\(a", "\\)"),
    # Code
    "an open fence": _after("```\n", "a\n"),
    "fences of many lengths": lambda size: "".join("`" * (3 + n % 50) + "\na\n" for n in range(size // 30)),
    "coloured code": lambda size: f"```python\n{'1+' * (min(size, 8000) // 2)}\n```\n",
}
