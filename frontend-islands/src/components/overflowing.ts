// Code, tables and formulas that are wider than the page can be scrolled by keys in every browser.
const WIDE = "pre, .table, .math, math[display=block]";

const watcher = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
    else target.removeAttribute("tabindex");
  }
});

export function offerKeys(root: HTMLElement): void {
  for (const box of root.querySelectorAll(WIDE)) watcher.observe(box);
}
