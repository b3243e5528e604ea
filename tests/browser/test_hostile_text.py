"""What people and models write is shown, and does nothing. (A1–A11)"""

import re

import pytest
from playwright.async_api import Page
from sqlalchemy import select

from app.accounts.models import User
from app.conversations.models import Conversation, Message
from app.conversations.service import title_from
from app.db.session import Database
from app.ids import new_id
from tests.browser.chromium import OpenPage, register
from tests.browser.servers import LiveServer
from tests.rendering.payloads import load_payloads

pytestmark = pytest.mark.browser

FEW = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "<hx-partial hx-target='#composer'>gone</hx-partial>",
    "<div hx-get='/logout' hx-trigger='load'>x</div>",
    "<template><script>alert(1)</script></template>",
    "![x](https://evil.example/pixel.png)",
    "</textarea></title></style><svg onload=alert(1)>",
    "{{ 7 * 7 }} ${7*7}",
]
# Everything in a message that is not plain content, by the rules of its own document.
ACTIVE = """() => [...document.querySelectorAll(".body *, .said *")].filter((element) => {
  const names = element.getAttributeNames();
  const plain = ["href", "src", "action", "formaction", "xlink:href", "data", "poster"].every((name) => {
    const value = element.getAttribute(name);
    return value === null || ["http:", "https:", "mailto:"].includes(new URL(value, location.href).protocol);
  });
  const isActive = element.matches(
    "script, iframe, object, embed, form, style, link, meta, base, svg, template, textarea, select,"
    + "button:not([data-copy-code], .code-header > .draw), input:not([type=checkbox][disabled]), video, audio,"
    + "img:not([src^='/']), noscript, frame, frameset, portal"
  );
  return isActive || !plain || names.some((name) => /^(on|hx-|data-hx|style|srcdoc|formaction)/.test(name));
}).map((element) => element.outerHTML.slice(0, 200))"""


def payloads() -> list[str]:
    """What can be stored: half a character is refused at the edge."""
    return FEW + [text for text in load_payloads() if not re.search("[\ud800-\udfff\0]", text)]


async def conversation_of(server: LiveServer, name: str, texts: list[str]) -> str:
    """A branch of questions and answers that say these texts, straight into the database."""
    database = Database(server.database)
    async with database.transaction() as session:
        user_id = await session.scalar(select(User.id).where(User.username == name))
        assert user_id is not None
        conversation = Conversation(user_id=user_id, title=title_from(texts[0]))
        session.add(conversation)
        await session.flush()
        parent = None
        for text in texts:
            for role in ("user", "assistant"):
                thinking = text if role == "assistant" else ""
                message = Message(
                    id=new_id(),
                    conversation_id=conversation.id,
                    parent_id=parent,
                    role=role,
                    content=text,
                    thinking=thinking,
                    model=f"ollama/{text[:80]}",
                    error={"code": "x", "message": text[:500], "retryable": True} if role == "assistant" else None,
                    status="failed" if role == "assistant" else "complete",
                    superseded=[{"content": text, "thinking": "", "reason": "crash"}] if role == "assistant" else [],
                )
                session.add(message)
                parent = message.id
        conversation.head_id = parent
    await database.dispose()
    return f"/c/{conversation.id}"


async def test_no_payload_becomes_active(alice: Page, live_server: LiveServer) -> None:
    name = await alice.locator(".who .name").inner_text()
    texts = payloads()
    for start in range(0, len(texts), 25):  # what one page shows
        some = texts[start : start + 25]
        await alice.goto(await conversation_of(live_server, name, some))
        assert await alice.locator(".message").count() == 2 * len(some)
        assert await alice.evaluate(ACTIVE) == []
        for link in await alice.locator(".prose a[href]").all():
            assert "noopener" in (await link.get_attribute("rel") or "")
    await alice.goto("/")


async def test_the_check_finds_what_it_looks_for(open_page: OpenPage, live_server: LiveServer) -> None:
    page = await open_page(allowed=("Content Security Policy",))
    await page.goto(await conversation_of(live_server, await register(page), ["harmless"]))
    bad = ["<b hx-get=/x>1</b>", "<a href='javascript:1'>1</a>", "<svg></svg>", "<b onclick=1>1</b>"]
    body = page.locator(".body")
    await body.evaluate("(body, bad) => body.insertAdjacentHTML('beforeend', bad.join(''))", bad)
    assert len(await page.evaluate(ACTIVE)) == len(bad)
