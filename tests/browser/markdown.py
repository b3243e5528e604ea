"""The scripted model server with one more kind of text: `text=markdown`, an answer of many blocks.

As a program (`python -m tests.browser.markdown`) it is that server.
"""

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

if __name__ == "__main__":
    main()
