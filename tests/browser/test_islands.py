"""What enriches the pages where the frontend was built, and the pages without it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Error, Frame, Page, ViewportSize, expect
from sqlalchemy import select

from app.accounts.models import User
from app.conversations.models import Conversation, Message
from app.db.session import Database
from app.http.assets import DIST
from app.ids import new_id
from tests.browser.chromium import OpenPage, register, watch
from tests.browser.servers import ROOT, LiveServer, model_process, teahouse_process
from tests.browser.test_chat import ask

pytestmark = pytest.mark.browser

NARROW_WINDOW: ViewportSize = {"width": 390, "height": 844}
FLOW = "Steps:\n\n```mermaid\nflowchart LR\n  Kettle --> Pot --> Cup\n```\n\nThat is all.\n"
BROKEN = "```mermaid\nflowchart LR\n  Kettle --> --> (((\n```\n"
HOSTILE = [
    'flowchart LR\n  A["<img src=x onerror=alert(1)><script>alert(2)</script>"] --> B\n  click A call alert()',
    'flowchart LR\n  A --> B\n  click A href "javascript:alert(1)"\n  click B href "https://evil.example/" _top',
    '%%{init: {"securityLevel": "loose", "htmlLabels": true, "flowchart": {"htmlLabels": true}, "themeCSS": '
    '"@import url(https://evil.example/a.css); * { background: url(https://evil.example/b) }"}}%%\n'
    "flowchart LR\n  A[\"<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>\"] --> B",
    'sequenceDiagram\n  Alice->>Bob: <svg onload=alert(1)>\n  links Bob: {"x": "javascript:alert(1)"}',
]
USAGE = {"prompt_tokens": 400, "completion_tokens": 120, "tokens_per_second": 38.4, "context_length": 4096}


@pytest.fixture(autouse=True, scope="session")
def built() -> None:
    assert (DIST / "islands.json").exists(), "run `make build` first"


async def told(
    server: LiveServer,
    name: str,
    *answers: str,
    usage: Any = None,
    title: str = "Told",
    model: str = "ollama/scripted:latest",
) -> str:
    """A conversation with these answers, straight into the database: its path."""
    database = Database(server.database)
    async with database.transaction() as session:
        user_id = await session.scalar(select(User.id).where(User.username == name))
        assert user_id is not None
        conversation = Conversation(user_id=user_id, title=title, title_origin="user", model=model)
        session.add(conversation)
        await session.flush()
        parent = None
        for answer in answers:
            for role, content in (("user", "Say it."), ("assistant", answer)):
                how: dict[str, Any] = {"usage": usage, "finish_reason": "stop"} if role == "assistant" else {}
                message = Message(id=new_id(), conversation_id=conversation.id, parent_id=parent, role=role, **how)
                message.content, message.status, message.model = content, "complete", model
                session.add(message)
                parent = message.id
        conversation.head_id = parent
    await database.dispose()
    return f"/c/{conversation.id}"


async def drawn(page: Page, number: int = 0) -> Frame:
    """Asks for a drawing, and waits until it is there."""
    code = page.locator(".code").nth(number)
    await code.locator(".draw").click()
    await expect(code.locator("iframe")).to_be_visible()
    await expect(code.locator("pre")).to_be_hidden()
    handle = await code.locator("iframe").element_handle()
    frame = await handle.content_frame()
    assert frame is not None
    return frame


@pytest.mark.parametrize("face", ["", "/app"])
async def test_a_model_is_found_by_keys_alone(alice: Page, face: str) -> None:
    await alice.goto(f"{face}/")
    await expect(alice.locator("#content")).to_be_focused()
    await alice.keyboard.press("Tab")
    opener = alice.locator(".chooser-opener")
    await expect(opener).to_be_focused()
    await alice.keyboard.type("think")
    options = alice.locator(".chooser-panel [role=option]")
    await expect(options).to_have_count(1)
    await alice.keyboard.press("Enter")
    await expect(opener).to_be_focused()
    await expect(opener).to_contain_text("thinker:latest")  # “loaded” by now, perhaps
    await opener.press("ArrowDown")
    await expect(alice.locator(".chooser-panel input")).to_be_focused()
    await expect(alice.locator(".chooser-panel [aria-selected=true]")).to_contain_text("thinker:latest")
    await alice.keyboard.type("no such model")
    await expect(alice.locator(".chooser-panel")).to_contain_text("No model has that in its name.")
    await alice.keyboard.press("Escape")
    await expect(alice.locator(".chooser-panel")).to_be_hidden()
    await alice.fill("#content", "By whom? [[tokens=3]]")
    await alice.press("#content", "Enter")
    await expect(alice.locator(".from-assistant .by")).to_have_text("thinker:latest", timeout=10_000)


async def test_a_list_that_is_opened_by_a_finger_is_the_device_s_own(open_page: OpenPage) -> None:
    page = await open_page(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    await register(page)
    await page.tap("#model")
    await page.wait_for_timeout(500)
    await expect(page.locator("#model")).to_be_visible()
    await expect(page.locator(".chooser-opener")).to_have_count(0)


@pytest.mark.parametrize("face", ["", "/app"])
async def test_the_use_of_the_model_is_drawn(alice: Page, live_server: LiveServer, face: str) -> None:
    name = await alice.locator(".who .name").inner_text()
    await alice.goto(face + await told(live_server, name, "One.", "Two.", "Three.", usage=USAGE))
    await alice.click(".context button")
    await expect(alice.locator(".usage")).to_contain_text("3 answers: 1,200 tokens read, 360 written.")
    await expect(alice.locator(".usage rect.written")).to_have_count(3)
    await expect(alice.locator(".usage circle")).to_have_count(3)
    await expect(alice.locator(".usage tbody tr").last).to_contain_text("38.4")
    await alice.keyboard.press("Escape")
    await expect(alice.locator(".usage")).to_be_hidden()


async def test_what_a_swap_takes_away_is_unmounted(alice: Page, live_server: LiveServer) -> None:
    name = await alice.locator(".who .name").inner_text()
    await alice.goto(await told(live_server, name, "One.", usage=USAGE))
    await alice.click(".context button")
    await expect(alice.locator(".usage rect.written")).to_have_count(1)
    await alice.keyboard.press("Escape")
    await alice.locator("#model").hover()
    await expect(alice.locator(".chooser-opener")).to_be_visible()
    await alice.evaluate("window.before = [...document.querySelectorAll('.island')]")
    assert await alice.evaluate("before.map(root => Boolean(root.__vue_app__))") == [True, True]
    await ask(alice, "And now? [[tokens=3]]")
    await expect(alice.locator(".from-assistant .tools")).to_have_count(2)
    await expect(alice.locator(".chooser-opener")).to_have_count(0)
    assert await alice.evaluate("before.map(root => [root.isConnected, Boolean(root.__vue_app__)])") == [
        [False, False],
        [False, False],
    ]
    # What came in their place works as they did.
    await alice.click(".context button")
    await expect(alice.locator(".usage rect.written")).to_have_count(2)
    await alice.keyboard.press("Escape")
    await alice.locator("#model").hover()
    await expect(alice.locator(".chooser-opener")).to_be_visible()


@pytest.mark.parametrize("face", ["", "/app"])
async def test_a_diagram_is_drawn_in_a_frame_of_its_own(alice: Page, live_server: LiveServer, face: str) -> None:
    name = await alice.locator(".who .name").inner_text()
    asked: list[str] = []
    alice.on("request", lambda request: asked.append(request.url))
    await alice.goto(face + await told(live_server, name, FLOW, "```python\nprint()\n```"))
    await expect(alice.locator(".draw")).to_have_count(1)
    assert not any("diagram.html" in url for url in asked), "only when somebody wants it"
    frame = await drawn(alice)
    await expect(frame.locator("svg")).to_contain_text("Kettle")
    first = await frame.locator("svg .node rect").first.evaluate("rect => getComputedStyle(rect).fill")
    await alice.emulate_media(color_scheme="dark")
    await expect(frame.locator("svg .node rect").first).not_to_have_css("fill", first)
    wide = await alice.locator("iframe.diagram").evaluate("frame => frame.clientHeight")
    await alice.set_viewport_size(NARROW_WINDOW)
    await expect(alice.locator(f"iframe.diagram[height='{wide}']")).to_have_count(0)  # what is narrower is also lower
    drawing = await frame.locator("body").evaluate("body => Math.ceil(body.getBoundingClientRect().height)")
    await expect(alice.locator("iframe.diagram")).to_have_attribute("height", str(drawing))
    assert drawing < wide
    await alice.locator(".draw").click()
    await expect(alice.locator("iframe")).to_have_count(0)
    await expect(alice.locator(".code pre").first).to_contain_text("Kettle --> Pot")


async def test_a_diagram_that_comes_with_an_answer_is_offered_too(alice: Page, live_server: LiveServer) -> None:
    name = await alice.locator(".who .name").inner_text()
    path = await told(live_server, name, FLOW)
    await alice.goto("/")
    await alice.goto(await told(live_server, name, "Nothing to draw."))
    await expect(alice.locator(".draw")).to_have_count(0)
    await alice.evaluate("path => htmx.ajax('GET', path, { target: '#chat', swap: 'outerMorph' })", path)
    await drawn(alice)


async def test_the_source_stays_where_there_is_no_drawing(alice: Page, live_server: LiveServer) -> None:
    name = await alice.locator(".who .name").inner_text()
    await alice.goto(await told(live_server, name, BROKEN))
    await alice.click(".draw")
    await expect(alice.locator(".diagram-failure")).to_have_text(
        "This diagram could not be drawn. Its source is above."
    )
    await expect(alice.locator(".code pre")).to_be_visible()
    await expect(alice.locator("iframe")).to_have_count(0)


async def test_A04_a_hostile_diagram_does_nothing(open_page: OpenPage, live_server: LiveServer) -> None:
    # Chromium says so of what the frame's own sanitiser reads in a document without scripts, where it could never run.
    alice = await open_page(allowed=("Executing inline event handler violates",))
    name = await register(alice)
    texts = [f"```mermaid\n{source}\n```" for source in HOSTILE]
    await alice.goto(await told(live_server, name, *texts))
    before = alice.url
    for number in range(len(HOSTILE)):
        code = alice.locator(".code").nth(number)
        await code.locator(".draw").click()
        await expect(code.locator("iframe[height]:not([height='0']), .diagram-failure").first).to_be_visible()
    for frame in alice.frames[1:]:
        assert await frame.locator("body :is(script, img, iframe, [href], a[target])").count() == 0
        for link in await frame.locator("svg a, svg .clickable").all():
            await link.click(force=True)
    assert alice.url == before and all(frame.url.endswith("/static/diagram.html") for frame in alice.frames[1:])


async def test_whatever_ran_in_the_frame_would_reach_nothing(open_page: OpenPage, live_server: LiveServer) -> None:
    page = await open_page(allowed=("Content Security Policy", "Unsafe attempt to initiate navigation"))
    await page.goto(await told(live_server, await register(page), FLOW))
    frame = await drawn(page)
    assert await frame.evaluate("origin") == "null"
    for reach in ("document.cookie", "localStorage", "parent.document", "top.location = 'https://evil.example/'"):
        with pytest.raises(Error):
            await frame.evaluate(reach)
    for reach in ("fetch('/api/v1/auth/me')", "import('data:text/javascript,1')"):
        with pytest.raises(Error):
            await frame.evaluate(f"(async () => {{ await {reach} }})()")
    with pytest.raises(Error):
        await frame.evaluate(
            "new Promise((ok, no) => Object.assign(new Image(), {onload: ok, onerror: no, src: '/x.png'}))"
        )


async def test_without_a_build_the_plain_pages_work(browser: Browser, tmp_path: Path) -> None:
    root, faults = tmp_path / "unbuilt", list[str]()
    for folder in ("app", "static", "templates"):
        shutil.copytree(ROOT / folder, root / folder)
    with model_process() as model_url, teahouse_process(tmp_path / "data", model_url, root=root) as server:
        context = await browser.new_context(base_url=server.url)
        page = await context.new_page()
        watch(page, server.url, faults, ())
        name = await register(page)
        await page.select_option("#model", "ollama/thinker:latest")
        await page.hover("#model")
        await ask(page, "Plain? [[tokens=3]]")
        await expect(page.locator(".from-assistant .by")).to_have_text("thinker:latest", timeout=10_000)
        await page.click(".context button")
        await expect(page.locator(".usage")).to_contain_text("1 answer:")
        await page.goto(await told(server, name, FLOW))
        await expect(page.locator(".code pre")).to_contain_text("Kettle --> Pot")
        assert await page.locator("script[src^='/app/'], .draw, .island").count() == 0
        await context.close()
    assert faults == []
