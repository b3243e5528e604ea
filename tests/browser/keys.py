"""Somebody without a mouse, who has to see at every step where they are."""

from playwright.async_api import Page

MOST_STEPS = 250
# What the focus shows by: an outline around the element itself, or around what it is the inside of.
SEEN = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return { name: "body", isSeen: true };
  const name = `${element.localName}#${element.id}.${element.className} ${element.getAttribute("aria-label") ?? ""}`;
  const around = [element, element.parentElement, element.closest(".composer-box, .field, label")];
  const isMarked = around.some((each) => {
    if (!each) return false;
    const style = getComputedStyle(each);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  });
  const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
  const isInSight = width > 0 && height > 0 && right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
  const opacity = Number(getComputedStyle(element).opacity);
  return { name, isSeen: isMarked && isInSight && opacity > 0.5, isMarked, isInSight, opacity };
}"""


class Keys:
    def __init__(self, page: Page) -> None:
        self._page = page

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self._page.keyboard.press(key)

    async def type(self, text: str) -> None:
        await self._page.keyboard.type(text)

    async def to(self, selector: str, *, back: bool = False) -> None:
        """On with Tab until the focus is there; it is seen at every stop on the way."""
        passed = []
        for _ in range(MOST_STEPS):
            if await self.is_at(selector):
                return
            await self._page.keyboard.press("Shift+Tab" if back else "Tab")
            await self._page.wait_for_timeout(20)
            passed.append(await self.seen())
        raise AssertionError(f"{selector} is not reached; passed {passed[:80]}")

    async def use(self, selector: str, *, back: bool = False) -> None:
        await self.to(selector, back=back)
        await self.press("Enter")

    async def is_at(self, selector: str) -> bool:
        return bool(await self._page.evaluate("selector => document.activeElement?.matches(selector)", selector))

    async def arrives(self, selector: str) -> None:
        """The focus comes there by itself."""
        await self._page.wait_for_function("selector => document.activeElement?.matches(selector)", arg=selector)
        await self.seen()

    async def seen(self) -> str:
        # A mark that fades in is there a moment later.
        stop = await self._page.evaluate(SEEN)
        for _ in range(10):
            if stop["isSeen"]:
                break
            await self._page.wait_for_timeout(30)
            stop = await self._page.evaluate(SEEN)
        assert stop["isSeen"], f"the focus is not seen: {stop}"
        return str(stop["name"])
