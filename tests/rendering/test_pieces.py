"""A long text is read in pieces: the same ones whether it comes at once or word by word."""

import random
import re

import pytest

from app.rendering import pipeline, streaming
from app.rendering.pieces import reopened
from app.rendering.pipeline import MAX_RENDERED, PIECE, render_uncached
from tests.browser.stories import RICH_ANSWER
from tests.effort import effort
from tests.rendering.corpus import chapters
from tests.rendering.test_law import FRAGMENTS, streamed, whole
from tests.rendering.test_streaming import letters


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pipeline, streaming):
        monkeypatch.setattr(module, "PIECE", 200)
    monkeypatch.setattr(pipeline.cache, "get", lambda *_: None)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("size", [1, 7, 150, 5000])
@pytest.mark.parametrize("name", chapters())
def test_a_stream_ends_in_the_same_pieces(name: str, size: int) -> None:
    text = "\n\n".join([chapters()[name]] * 3)
    assert streamed(letters(text, size)) == whole(text)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(effort(150, 5000)))
def test_so_does_any_text(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choices(FRAGMENTS, k=chance.randint(40, 160)))
    assert streamed(letters(text, chance.randint(1, 90))) == whole(text)


@pytest.mark.usefixtures("small")
def test_a_block_that_is_longer_than_a_piece_goes_on_in_another() -> None:
    code = "".join(f"value_{n} = {n}\n" for n in range(60))
    blocks = render_uncached(f"```python\n{code}```\n\nend *now*\n")
    assert len(blocks) > 4 and all('class="language-python"' in block for block in blocks[:-1])
    shown = re.sub("<[^>]*>", "", "".join(blocks[:-1])).replace("python", "")
    assert shown.replace("\n\n", "\n").strip() == code.strip()
    assert blocks[-1].endswith("end <em>now</em></p>\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("```py\na\n", "```py\n"),
        ("\n~~~~\n```\n", "~~~~\n"),
        ("```\na\n```\n", ""),
        ("```\na\n````\nb\n", ""),
        ("a\n", ""),
    ],
)
def test_what_begins_the_rest_of_a_fence(text: str, line: str) -> None:
    assert reopened(text) == line


def test_two_megabytes_are_formatted() -> None:
    """Cut off where that is enough: how long the whole takes is told by `make bench`."""
    text = (RICH_ANSWER.en + "\n\n") * (3 * PIECE // len(RICH_ANSWER.en))
    blocks = render_uncached(text)
    assert not any(block.startswith("<pre") for block in blocks)
    assert len(text) > 2 * PIECE and MAX_RENDERED >= 2_000_000
