"""An answer that grows disturbs nobody; what can be done with one that is there."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import OpenPage, register
from tests.browser.test_chat import answer_text, ask, expected_of, watch_to_end
from tests.model_server import answer_for

pytestmark = pytest.mark.browser

PARAGRAPH = "Tell me at length [[tokens=500 rate=80 first=100]]"
MARKDOWN = "Tell me in pieces [[tokens=500 rate=80 first=100 text=markdown]]"

SELECT = """([selector, start, end]) => {
  const node = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT).nextNode();
  getSelection().setBaseAndExtent(node, start, node, end);
  return String(getSelection());
}"""
TABLE_SHOWN = """() => {
  const prose = document.querySelector('.prose.open'), last = prose.lastElementChild;
  return { rows: prose.querySelectorAll('tbody tr').length,
           below: prose.querySelector('table') && !last.querySelector('table') ? last.innerText : '' };
}"""
SELECTED = "String(getSelection())"
TOP_OF_FIRST = "document.querySelector('.message').getBoundingClientRect().top"


async def begin(page: Page, prompt: str) -> None:
    await ask(page, prompt)
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".prose.open > p").first).to_be_visible()


async def test_a_selection_in_the_block_that_grows_stays(alice: Page) -> None:
    await begin(alice, PARAGRAPH)
    while len(await answer_text(alice)) < 80:
        await alice.wait_for_timeout(50)
    chosen = await alice.evaluate(SELECT, [".prose.open > p", 5, 40])
    assert len(chosen) == 35
    seen = await watch_to_end(alice, expected_of(PARAGRAPH))
    assert len(seen) > 8 and await alice.evaluate(SELECTED) == chosen


async def test_a_table_is_one_from_its_first_row_on(alice: Page) -> None:
    """Of a table that comes at 50 tokens a second nobody sees a mark of its source, nor a row below it."""
    await begin(alice, "Which teas are there? [[tokens=400 rate=50 first=100 text=table]]")
    rows, seen = 0, ""
    while rows < 8:
        shown, seen = await alice.evaluate(TABLE_SHOWN), await alice.inner_text(".prose.open")
        assert not re.search(r"[|*`\]]|--|https", seen), seen
        assert shown["rows"] >= rows and shown["below"] == ""
        rows = shown["rows"]
        await alice.wait_for_timeout(40)
    assert "Tea 3" in seen and await alice.locator(".prose.open td strong").count() > 3


async def test_nothing_is_disturbed_while_five_hundred_tokens_come(alice: Page) -> None:
    """A selection in a block that closes, the place one reads at, and what one types meanwhile."""
    await begin(alice, MARKDOWN)
    chosen = await alice.evaluate(SELECT, [".prose.open > :is(p, h1, h2, h3)", 0, 3])
    assert len(chosen) == 3
    while await alice.evaluate("document.querySelector('.thread').offsetHeight") < 1600:
        await alice.wait_for_timeout(50)
    await alice.mouse.move(600, 300)
    await alice.mouse.wheel(0, -500)
    await expect(alice.locator("[data-newer]")).to_be_visible()
    await alice.wait_for_timeout(300)
    top, before = await alice.evaluate(TOP_OF_FIRST), await answer_text(alice)
    assert await alice.evaluate(SELECTED) == chosen
    # Typing takes the selection with it, as everywhere; it loses no letter.
    await alice.click("#content")
    typed = "one two three four five six "
    await alice.keyboard.type(typed, delay=30)
    assert await alice.input_value("#content") == typed
    assert abs(await alice.evaluate(TOP_OF_FIRST) - top) < 2
    assert len(await answer_text(alice)) > len(before)
    chosen = await alice.evaluate(SELECT, [".prose.open > p", 0, 3])
    await watch_to_end(alice, expected_of(MARKDOWN))
    assert await alice.evaluate(SELECTED) == chosen
    assert abs(await alice.evaluate(TOP_OF_FIRST) - top) < 2
    assert await alice.input_value("#content") == typed


async def test_thinking_that_was_opened_stays_open(alice: Page) -> None:
    await ask(alice, "Think first [[think=60 tokens=60 rate=40]]")
    await alice.wait_for_url("**/c/*")
    await alice.click(".thinking summary")
    thought = alice.locator(".thought")
    before = len(await thought.inner_text())
    await expect(alice.locator(".prose.open > p")).to_be_visible()
    assert await alice.locator(".thinking details[open]").count() == 1
    assert len(await thought.inner_text()) > before
    await expect(alice.locator(".poller")).to_have_count(0, timeout=20_000)
    await expect(thought).to_be_visible()


async def test_an_answer_is_busy_until_it_is_written(alice: Page) -> None:
    await begin(alice, "Be busy [[tokens=30 rate=30]]")
    await expect(alice.locator(".prose[aria-busy=true]")).to_have_count(1)
    await expect(alice.locator(".prose[aria-busy]")).to_have_count(0, timeout=10_000)
    assert await alice.locator(".prose").evaluate("text => text.innerHTML.includes('<!--')") is False


async def test_who_listens_hears_sentences(alice: Page) -> None:
    await ask(alice, "Begin [[tokens=2]]")
    await alice.wait_for_url("**/c/*")
    await expect(alice.locator(".poller")).to_have_count(0)
    await alice.evaluate(
        """() => { window.heard = []; new MutationObserver(() => heard.push(document.getElementById("announcer")
        .textContent)).observe(document.getElementById("announcer"), { childList: true, characterData: true }); }"""
    )
    prompt = "Go on in pieces [[tokens=300 rate=40 text=markdown]]"
    await ask(alice, prompt)
    await expect(alice.locator(".from-assistant .tools")).to_have_count(2, timeout=20_000)
    heard = [text for text in await alice.evaluate("heard") if text]
    assert 2 <= len(heard) <= 6, "now and then, not with each token"
    assert heard[-1].endswith("The answer is complete.")
    said = "".join("".join(heard).split())
    assert said.count("The answer is complete.".replace(" ", "")) == 1


async def test_the_window_meter_moves_with_the_answer(alice: Page) -> None:
    await ask(alice, "Count [[tokens=20]]")
    await alice.wait_for_url("**/c/*")
    await expect(alice.locator("#context meter")).to_have_count(1)
    first = await alice.locator("#context").inner_text()
    await ask(alice, "Count on [[tokens=20]]")
    await expect(alice.locator("#context")).not_to_have_text(first, use_inner_text=True)
    assert "tokens" in first


async def test_another_tab_is_told_by_title_and_icon(alice: Page) -> None:
    await begin(alice, "Finish while I am away [[tokens=40 rate=20]]")
    icon = await alice.locator("link[rel=icon]").get_attribute("href")
    hide = """hidden => { Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange")); }"""
    await alice.evaluate(hide, True)
    await expect(alice.locator(".poller")).to_have_count(0, timeout=10_000)
    assert (await alice.title()).startswith("● ")
    assert await alice.locator("link[rel=icon]").get_attribute("href") != icon
    # Another title keeps the mark. All at once: the model's own may come at any moment.
    marked = """async () => {
        document.title = 'Found – Teahouse';
        await new Promise(go => setTimeout(go));
        return document.title;
    }"""
    assert await alice.evaluate(marked) == "● Found – Teahouse"
    await alice.evaluate(hide, False)
    assert not (await alice.title()).startswith("●")
    assert str(await alice.evaluate("document.querySelector('link[rel=icon]').href")).endswith(icon or "?")


async def more(page: Page, of: str) -> None:
    await page.locator(of).last.hover()
    await page.locator(f"{of} [aria-label='More']").last.click()
    await expect(page.locator("#menu")).to_be_visible()


async def answered(page: Page, prompt: str) -> None:
    await ask(page, prompt)
    await page.wait_for_url("**/c/*")
    await watch_to_end(page, expected_of(prompt))


async def test_what_is_copied_is_the_source(open_page: OpenPage) -> None:
    page = await open_page(permissions=["clipboard-read", "clipboard-write"])
    await register(page)
    prompt = "Write *marks* [[tokens=60 text=markdown]]"
    await answered(page, prompt)
    await page.locator(".from-assistant").hover()
    await page.click(".from-assistant .tools [aria-label='Copy']")
    await expect(page.locator("#announcer")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "".join(answer_for(prompt))
    await more(page, ".from-user")
    await page.click("#menu >> text=Copy a link")
    await expect(page.locator("#menu")).to_be_hidden()
    link = await page.evaluate("navigator.clipboard.readText()")
    assert "?message=" in link and link.startswith(page.url)
    await page.goto(link)
    await expect(page.locator(".from-user .said")).to_be_in_viewport()


COPIED = """async () => {
  const [item] = await navigator.clipboard.read();
  return (await item.getType("text/html")).text();
}"""


async def test_copied_text_has_no_look_of_ours(open_page: OpenPage) -> None:
    """From a dark page into any editor: no colours, no classes, no buttons."""
    page = await open_page(permissions=["clipboard-read", "clipboard-write"], color_scheme="dark")
    await register(page)
    await answered(page, "Write *marks* [[tokens=120 text=markdown]]")
    await page.locator(".from-assistant").hover()
    await page.click(".from-assistant .tools [aria-label='Copy']")
    await expect(page.locator("#announcer")).to_have_text("Copied")
    whole = await page.evaluate(COPIED)
    assert "<strong>leaf</strong>" in whole and "<pre><code>print('tea')" in whole and "<td>green</td>" in whole
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.from-assistant .prose'))")
    await page.keyboard.press("Control+c")
    chosen = await page.evaluate(COPIED)
    for html in (whole, chosen):
        assert not re.search(r"style=|class=|<button|<span|<div|color", html), html
    assert "<strong>leaf</strong>" in chosen and "print('tea')" in await page.evaluate("navigator.clipboard.readText()")


async def test_the_menu_is_worked_by_keys_and_gives_the_focus_back(alice: Page) -> None:
    await answered(alice, "Keys [[tokens=3]]")
    button = alice.locator(".from-assistant [aria-label='More']")
    await button.focus()
    await alice.keyboard.press("Enter")
    await expect(alice.locator("#menu a").first).to_be_focused()
    await alice.keyboard.press("ArrowDown")
    await expect(alice.locator("#menu a").nth(1)).to_be_focused()
    await expect(alice.locator("#menu .made")).to_contain_text("scripted")
    await alice.keyboard.press("Escape")
    await expect(alice.locator("#menu")).to_be_hidden()
    await expect(button).to_be_focused()


async def test_another_model_answers_beside_the_first(alice: Page) -> None:
    await answered(alice, "By another [[tokens=3]]")
    await more(alice, ".from-assistant")
    await alice.click("#menu >> text=by another model")
    await alice.select_option("#other-model", "ollama/thinker:latest")
    await alice.click("#menu >> text=Answer again")
    await expect(alice.locator(".branches .number")).to_have_text("2 of 2")
    await expect(alice.locator("#menu")).to_be_hidden()
    await expect(alice.locator(".from-assistant .by")).to_have_text("thinker:latest", timeout=10_000)


async def test_deleting_names_what_is_lost_and_shows_what_is_left(alice: Page) -> None:
    await answered(alice, "First [[tokens=3]]")
    await ask(alice, "Second [[tokens=3]]")
    await expect(alice.locator(".from-assistant .tools")).to_have_count(2)
    await more(alice, ".from-user")
    await alice.click("#menu >> text=Delete from here on")
    await expect(alice.locator("#menu")).to_contain_text("2 messages will be gone")
    await expect(alice.locator("#menu .danger")).to_be_focused()
    await alice.click("#menu .danger")
    await expect(alice.locator(".message")).to_have_count(2)
    await expect(alice.locator("#menu")).to_be_hidden()


async def test_a_message_is_edited_where_it_stands(open_page: OpenPage) -> None:
    alice = await open_page(allowed=("status of 422",))
    await register(alice)
    await answered(alice, "First wording [[tokens=3]]")
    await alice.fill("#content", "a draft below")
    await alice.locator(".from-user").hover()
    await alice.click(".from-user [aria-label='Edit']")
    area = alice.locator(".edit textarea")
    await expect(area).to_be_focused()
    await alice.keyboard.press("Escape")
    await expect(alice.locator(".said")).to_have_text("First wording [[tokens=3]]", use_inner_text=True)
    await alice.locator(".from-user").hover()
    await alice.click(".from-user [aria-label='Edit']")
    await area.fill("  ")
    await alice.click(".edit .primary")
    await expect(alice.locator(".edit .field-error")).to_have_text("A message needs some text.")
    await area.fill("Second wording [[tokens=3]]")
    await area.press("Enter")
    await expect(alice.locator(".branches .number").first).to_have_text("2 of 2")
    await expect(alice.locator(".said")).to_have_text("Second wording [[tokens=3]]", use_inner_text=True)
    assert await alice.input_value("#content") == "a draft below"


async def test_without_scripts_each_of_these_is_a_page(open_page: OpenPage) -> None:
    page = await open_page(scripts=False)
    await register(page)
    await ask(page, "On paper [[tokens=3]]")
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".from-assistant .tools")).to_be_attached()
    await page.click(".from-assistant [aria-label='More']")
    await expect(page.locator(".made")).to_contain_text("scripted")
    await page.click("text=by another model")
    await page.select_option("#other-model", "ollama/thinker:latest")
    await page.click("text=Answer again")
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".branches .number")).to_have_text("2 of 2")
    await page.click(".from-user [aria-label='More']")
    await page.click("text=Delete from here on")
    await expect(page.locator("main")).to_contain_text("3 messages will be gone")
    await page.click("main .danger")
    await page.wait_for_url("**/c/*")
    await expect(page.locator(".message")).to_have_count(0)
