"""What an answer looks like while it grows: every state that the page draws, seen from inside the page."""

from collections.abc import Callable

from playwright.async_api import Page

# The last answer's text without the headers of code. Not innerText: what is out of sight has none.
TEXT = """() => {
  const copy = [...document.querySelectorAll(".from-assistant .prose")].at(-1)?.cloneNode(true);
  for (const header of copy?.querySelectorAll(".code-header") ?? []) header.remove();
  return copy?.textContent ?? "";
}"""
# Looked at where it changes: to ask for it from outside, twenty times a second, would take more than to draw it.
WATCH = """([text, isOver, seconds]) => new Promise((resolve, reject) => {
  const [now, over] = [eval(text), eval(isOver)];
  const seen = [];
  const end = (settle, value) => {
    observer.disconnect();
    clearTimeout(timer);
    settle(value);
  };
  const look = () => {
    if (now() !== seen.at(-1)) seen.push(now());
    if (over()) end(resolve, seen);
  };
  const observer = new MutationObserver(look);
  const timer = setTimeout(() => end(reject, Error(`not over, but: ${seen.at(-1)}`)), 1000 * seconds);
  observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  look();
})"""


async def watched(
    page: Page, expected: str, is_over: str, letters: Callable[[str], str], seconds: float = 20
) -> list[str]:
    """Every state, "" first; each one must be a beginning of what is expected, and none shorter than before."""
    seen = [""]
    for text in map(letters, await page.evaluate(WATCH, [TEXT, is_over, seconds])):
        assert expected.startswith(text), "a gap or a repeat"
        assert len(text) >= len(seen[-1]), "text that was shown has gone"
        if text != seen[-1]:
            seen.append(text)
    return seen
