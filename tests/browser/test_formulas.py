"""Formulas in a real browser, on both faces: drawn by our font, never wider than the page, copied as their source."""

from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from app.accounts.models import User
from app.conversations.models import Conversation, Message
from app.db.session import Database
from app.ids import new_id
from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer

pytestmark = pytest.mark.browser

WIDE = " + ".join(f"x_{{{number}}}" for number in range(60))
TEXT = rf"""Einstein wrote $E = mc^2$, and the root is ($x_1$). A wide one, ${WIDE}$, scrolls.

$$
\left| \begin{{array}}{{c}} a \\ b \\ c \\ d \end{{array}} \right| = \sum_{{i=1}}^{{n}} i \tag{{1}}
$$

\begin{{align}}
{WIDE} &= 0 \\
y &= 1
\end{{align}}

- in a list $a^2$, too"""

FACES = ("/c/", "/app/c/")
MEASURED = """() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const [bar, ...bars] = [...document.querySelectorAll("mo")].filter((mo) => mo.textContent === "|");
  const inline = [...document.querySelectorAll("span.math")];
  const wide = inline[2];
  const tags = [...document.querySelectorAll("mtext")].filter((text) => text.textContent === "(1)");
  const tag = tags[0].getBoundingClientRect();
  const block = box("div.math");
  return {
    page: document.documentElement.scrollWidth - innerWidth,
    bar: bar.getBoundingClientRect().height,
    bars: bars.length,
    tag: Math.round(block.right - tag.right),
    scrolls: inline.map((span) => span.scrollWidth > span.clientWidth),
    keys: wide.tabIndex,
    isOurs: document.fonts.check("16px Formulas"),
    lists: document.querySelectorAll(".math-tied").length,
  };
}"""
# The bottom of a formula's letters is where that of the words beside it is.
LEVEL = """() => {
  const formula = document.querySelector("span.math");
  const letter = formula.querySelector("mi");
  const probe = document.createElement("span");
  probe.style.display = "inline-block";
  formula.after(probe);
  const baseline = probe.getBoundingClientRect().bottom;
  probe.remove();
  const inner = document.createElementNS("http://www.w3.org/1998/Math/MathML", "mspace");
  letter.before(inner);
  const own = inner.getBoundingClientRect().bottom;
  inner.remove();
  return Math.abs(own - baseline);
}"""
COPIED = """(select) => {
  getSelection().removeAllRanges();
  const range = document.createRange();
  const prose = [...document.querySelectorAll(".prose")].at(-1);
  const [first, last] = select === "all" ? [prose, prose] : select === "part"
    ? [prose.querySelector("mo"), prose.querySelector("msup")]
    : [prose.querySelector("p"), prose.querySelector("p")];
  if (select === "part") { range.setStart(first, 0); range.setEnd(last, 1); } else range.selectNodeContents(prose);
  getSelection().addRange(range);
  const data = new DataTransfer();
  const event = new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true });
  prose.dispatchEvent(event);
  return [event.defaultPrevented, data.getData("text/plain"), data.getData("text/html")];
}"""


async def answered(server: LiveServer, name: str, text: str) -> str:
    """The path of a conversation in which a model said this."""
    database = Database(server.database)
    async with database.transaction() as session:
        user_id = await session.scalar(select(User.id).where(User.username == name))
        assert user_id is not None
        conversation = Conversation(user_id=user_id, title="Formulas")
        session.add(conversation)
        await session.flush()
        question = Message(id=new_id(), conversation_id=conversation.id, role="user", content="?", status="complete")
        session.add(question)
        await session.flush()
        answer = Message(
            id=new_id(),
            conversation_id=conversation.id,
            parent_id=question.id,
            role="assistant",
            content=text,
            status="complete",
        )
        session.add(answer)
        conversation.head_id = answer.id
    await database.dispose()
    return f"/c/{conversation.id}"


async def shown(open_page: OpenPage, server: LiveServer, face: str, **options: Any) -> Page:
    page = await open_page(**options)
    name = await register(page)
    path = await answered(server, name, TEXT)
    await page.goto(path.replace("/c/", face))
    await expect(page.locator("math").first).to_be_visible()
    await page.evaluate("document.fonts.ready")
    return page


@pytest.mark.parametrize("face", FACES)
async def test_formulas_on_a_phone(open_page: OpenPage, live_server: LiveServer, face: str) -> None:
    page = await shown(open_page, live_server, face, viewport={"width": 390, "height": 800})
    seen = await page.evaluate(MEASURED)
    assert seen["page"] <= 0
    assert seen["scrolls"] == [False, False, True, False] and seen["keys"] == 0
    assert seen["bars"] == 1 and seen["bar"] > 70, "bars are as tall as what is between them"
    assert seen["tag"] <= 3
    assert seen["isOurs"] and seen["lists"] == 4
    assert await page.evaluate(LEVEL) < 0.6


@pytest.mark.parametrize("face", FACES)
async def test_a_formula_is_copied_as_its_source(open_page: OpenPage, live_server: LiveServer, face: str) -> None:
    page = await shown(open_page, live_server, face)
    done, text, html = await page.evaluate(COPIED, "all")
    assert done
    assert text.startswith("Einstein wrote $E = mc^2$, and the root is ($x_1$). A wide one, $x_{0} + ")
    assert "\n\n$$\n\\left| \\begin{array}{c} a" in text and "\\tag{1}\n$$\n" in text
    assert "$$\n\\begin{align}\nx_{0}" in text.replace("\r", "")
    assert "in a list $a^2$, too" in text
    assert "<math" not in html and "style" not in html
    done, text, _ = await page.evaluate(COPIED, "part")
    assert done and text == "$E = mc^2$"


async def test_the_font_comes_with_the_first_formula(open_page: OpenPage) -> None:
    page = await open_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    await register(page)
    await page.goto("/", wait_until="load")
    await page.evaluate("document.fonts.ready")
    assert not [url for url in fetched if ".woff2" in url]
