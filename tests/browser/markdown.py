"""The scripted model server with more kinds of text: `markdown` has a block every few words, `answer` is as answers
are: paragraphs, a list, a table, code, word by word and over again; `table` is one of 40 rows, four letters a token.

As a program (`python -m tests.browser.markdown`) it is that server.
"""

import re
from collections.abc import Iterator
from itertools import cycle

from tests.browser.stories import RICH_ANSWER
from tests.model_server import script
from tests.model_server.__main__ import main

script._WORDS["markdown"] = [
    "tea",
    "steam",
    "kettle",
    "**leaf**",
    "`cup`",
    "\n\nA new paragraph",
    "\n\n### A heading\n\nand",
    "\n\n- first\n- second\n\nthen",
    "\n\n```python\nprint('tea')\n```\n\nafter",
    "\n\n| leaf | minutes |\n| --- | --- |\n| green | 2 |\n\nbelow",
]
TABLE = "Here are **the teas**:\n\n| Tea | Origin | °C | Minutes | See |\n|:---|:---:|---:|---:|---|\n" + "".join(
    f"| **Tea {n}** | `{place}` | {70 + n % 30} | {1 + n % 6} | [the leaf](https://example.org/leaf_{n}) |\n"
    for n, place in zip(range(1, 41), cycle(["Anhui", "Assam", "Fujian", "Uji", "Yunnan"]), strict=False)
)
_at_random = script._words


def _words(prompt: str, text: str) -> Iterator[str]:
    if text == "answer":
        yield from cycle(re.findall(r"\s*\S+", "\n\n" + RICH_ANSWER.en))
    if text == "table":
        yield from re.findall(r"(?s).{1,4}", TABLE)
    yield from _at_random(prompt, text)


script._words = _words

if __name__ == "__main__":
    main()
