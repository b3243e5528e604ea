"""What is shown of an answer while it is written: structure, never source."""

import html
import re
from functools import cache
from pathlib import Path

import pytest

from app.rendering import StreamingRenderer
from app.rendering.pipeline import render_uncached
from tests.rendering.corpus import chapters, examples
from tests.rendering.undirected import undirected

ANSWERS = {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).with_name("answers").glob("*.md")}
# What stands below can change these above: a definition makes links, an end a formula of what was none.
_LOOKS_AHEAD = re.compile(r"\]:|\$|\\[\[(]")
# Nothing tells before the end of an inner one which of the two is the construct.
_RIVALS = re.compile(r"!\[[^]]*!\[|``\s*`?.*`|\\\||\n[^|\n]+ \|")
_HELD = re.compile(r"\]\([^)]*\)|<http[^>]*>|\$\$.*?\$\$|\\\[.*?\\\]|\n[|:\- ]+\n", re.DOTALL)
_BLOCK = re.compile(r"<(h[1-6]|ul|ol|li|blockquote|table|tr|th|td|pre|hr)\b")

DETAILS = "<details>\n<summary>So</summary>\n{}</details>\n"
TABLE = (
    '<div class="table"><table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n'
    "<tbody>\n<tr>\n<td>{}</td>\n<td></td>\n</tr>\n</tbody>\n</table></div>\n"
)


def seen(blocks: list[str]) -> str:
    """The text that a reader sees, without blanks; a formula and a box are one character each."""
    text = re.sub(r"<math.*?</math>", "∑", "".join(blocks), flags=re.DOTALL)
    text = re.sub(r'<div class="code-header">.*?</div>', "", re.sub(r"<input[^>]*>", "☐", text))
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]*>", "", text)))


def structure(blocks: list[str]) -> list[str]:
    return _BLOCK.findall("".join(blocks))


@cache
def film(text: str, size: int = 1) -> list[list[str]]:
    renderer, pictures = StreamingRenderer(), []
    for at in range(0, len(text), size):
        renderer.feed(text[at : at + size])
        pictures.append(list(renderer.blocks))
    return pictures


@pytest.mark.parametrize("size", [1, 4, 19])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_only_ever_grows(name: str, size: int) -> None:
    """Cut at every place, what is seen is the beginning of what will be; so is the structure of its blocks."""
    finished = render_uncached(ANSWERS[name])
    for picture in film(ANSWERS[name], size):
        assert seen(finished).startswith(seen(picture))
        assert structure(finished)[: len(structure(picture))] == structure(picture)


@cache
def letters_of(text: str) -> int:
    return len(seen(render_uncached(text)))


@pytest.mark.parametrize("size", [1, 4, 19])
@pytest.mark.parametrize("name", ANSWERS)
def test_little_of_it_is_held_back(name: str, size: int) -> None:
    """Behind what has been written, not more is missing than the longest address or formula."""
    text = ANSWERS[name]
    longest = max(
        map(len, re.findall(r"\]\([^)]*\)|<http[^>]*>|\$\$.*?\$\$|\\\[.*?\\\]|\n[|:\- ]+\n", text, re.DOTALL)),
        default=0,
    )
    for number, picture in enumerate(film(text, size), 1):
        assert len(seen(picture)) > letters_of(text[: number * size]) - longest - 30


def _is_within(part: str, whole: str) -> bool:
    """Nothing is in the part that is not in the whole, in this order."""
    rest = iter(whole)
    return all(char in rest for char in part)


@pytest.mark.parametrize("start", range(0, len(examples()), 50))
def test_no_mark_is_seen_that_is_none_of_the_text(start: int) -> None:
    """Where a construct never ends, its marks are missing until that is known: none is too many."""
    for text in examples()[start : start + 50]:
        if not _LOOKS_AHEAD.search(text) and not _RIVALS.search(text):
            finished = seen(render_uncached(text))
            for picture in film(text):
                assert _is_within(seen(picture), finished), (text, picture)


@pytest.mark.parametrize(
    ("text", "pictures"),
    [
        ("Set the my_var value", ["Setthemy", "Setthemy_v", "Setthemy_varv"]),
        ("5 ** 2 is 25", ["5", "5**2", "5**2is2"]),
        ("2 * 3 or *this*", ["2", "2*3", "2*3orth"]),
        ("press ` to type", ["press", "presst", "pressto"]),
    ],
)
def test_marks_that_open_nothing(text: str, pictures: list[str]) -> None:
    shown = [seen(picture) for picture in film(text)]
    assert [picture for picture in pictures if picture not in shown] == []
    assert all(_is_within(picture, text) for picture in shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **bold wor", "<p>a <strong>bold wor</strong></p>\n"),
        ("a **bold *and it", "<p>a <strong>bold <em>and it</em></strong></p>\n"),
        ("a **bold*", "<p>a <strong>bold</strong></p>\n"),
        ("a ***both", "<p>a <em><strong>both</strong></em></p>\n"),
        ("a ~~gone", "<p>a <s>gone</s></p>\n"),
        ("a `co*de_", "<p>a <code>co*de_</code></p>\n"),
        ("a ``co`de", "<p>a <code>co`de</code></p>\n"),
        ("`a` and `b", "<p><code>a</code> and <code>b</code></p>\n"),
        ("see [the *man", '<p>see <a rel="noopener noreferrer nofollow ugc">the <em>man</em></a></p>\n'),
        ("see [man](https://exam", '<p>see <a rel="noopener noreferrer nofollow ugc">man</a></p>\n'),
        ('see [man](https://a.b "ti', '<p>see <a rel="noopener noreferrer nofollow ugc">man</a></p>\n'),
        ("see ![pic](https://exam", '<p>see <a class="image" rel="noopener noreferrer nofollow ugc">pic</a></p>\n'),
        ("see <https://exam", "<p>see</p>\n"),
        ("as [1", "<p>as</p>\n"),
        ("as [1] say", "<p>as [1] say</p>\n"),
        ("AT&am", "<p>AT</p>\n"),
        ("it is $x^2 +", "<p>it is</p>\n"),
        ("it costs $5 per month and", "<p>it costs $5 per month and</p>\n"),
        ("it is \\(x +", "<p>it is</p>\n"),
        ("text\n\n$$\n# x\n", "<p>text</p>\n"),
        ("# Hea", "<h1>Hea</h1>\n"),
        ("# Hea #", "<h1>Hea</h1>\n"),
        ("text\n-", "<p>text</p>\n"),
        ("text\n==", "<p>text</p>\n"),
        ("- a\n-", "<ul>\n<li>a</li>\n</ul>\n"),
        ("- a\n  - b", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n"),
        ("1. a\n2. **b", "<ol>\n<li>a</li>\n<li><strong>b</strong></li>\n</ol>\n"),
        ("> a **b", "<blockquote>\n<p>a <strong>b</strong></p>\n</blockquote>\n"),
        ("> a **b\n> c", "<blockquote>\n<p>a <strong>b<br>\nc</strong></p>\n</blockquote>\n"),
        ("H<sub>2", "<p>H<sub>2</sub></p>\n"),
        ("H<su", "<p>H</p>\n"),
        ("a <u>**b", "<p>a <u><strong>b</strong></u></p>\n"),
        ("a <!-- b", "<p>a</p>\n"),
        ("<!-- a\n- b", ""),
        ("<details>", ""),
        ("<details>\n<summary>So", ""),
        ("<details>\n<summary>So</summary>\n\n**a", DETAILS.format("<p><strong>a</strong></p>\n")),
        ("|a|b|\n|-|-|\n|`x |", TABLE.format("<code>x |</code>")),
        ("|a|b|\n|-|-|\n|`x ||` | y", TABLE.format("<code>x ||</code>").replace("<td></td>", "<td>y</td>")),
        ("`", ""),
        ("``", ""),
        ("```", ""),
        ("```py", ""),
        ("**", ""),
        ("|", ""),
    ],
)
def test_what_is_open_is_shown_as_if_it_ended_here(text: str, shown: str) -> None:
    for size in (1, 2, 3, len(text)):
        assert undirected("".join(film(text, size)[-1])).replace(" </", "</") == shown, size


def test_a_table_grows_cell_by_cell() -> None:
    begins, ends = '<div class="table"><table>\n<thead>\n', "</table></div>\n"
    head = "<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n"

    def table(text: str) -> str:
        return undirected("".join(film(text)[-1])).replace(" </", "</")

    assert table("| a") == f"{begins}<tr>\n<th>a</th>\n</tr>\n</thead>\n{ends}"
    for text in (
        "| a | b",
        "| a | b |",
        "| a | b |\n",
        "| a | b |\n|--",
        "| a | b |\n|---|-",
        "| a | b |\n|---|---|\n|",
    ):
        assert table(text) == begins + head + ends, text
    body = begins + head + "<tbody>\n<tr>\n"
    text = "| a | b |\n|---|---|\n| **c"
    assert table(text) == body + f"<td><strong>c</strong></td>\n<td></td>\n</tr>\n</tbody>\n{ends}"
    text += "** | `d"
    assert table(text) == body + f"<td><strong>c</strong></td>\n<td><code>d</code></td>\n</tr>\n</tbody>\n{ends}"
    text += "` |\n| e"
    assert table(text).count("<tr>") == 3
    assert table(text).endswith(f"<tr>\n<td>e</td>\n<td></td>\n</tr>\n</tbody>\n{ends}")


def test_a_long_table_never_shows_its_source() -> None:
    rows = "".join(f"| row {n} | **{n}** | `{n * n}` |\n" for n in range(40))
    for picture in film("| name | bold | code |\n| --- | :-: | --: |\n" + rows, 5):
        assert not re.search(r"[|*`]|--", seen(picture))
        assert "".join(picture).count("<table>") <= 1


def test_what_never_ends_changes_once() -> None:
    text = "There are [ brackets, an *asterisk and a `tick in this paragraph of words.\n\nThe next."
    changes, before = 0, ""
    for picture in map(seen, film(text)):
        changes += not picture.startswith(before)
        before = picture
    assert changes <= 3


@pytest.mark.parametrize("name", chapters())
def test_no_chapter_is_shown_with_a_fault(name: str, caplog: pytest.LogCaptureFixture) -> None:
    film(chapters()[name])
    film(chapters()[name], 3)
    assert caplog.text == ""
