// Code, tables and formulas that are wider than the page can be scrolled by keys in every browser.
{
  const WIDE = ".blocks pre, .blocks .table, .blocks .math, .blocks math[display=block]";

  function offerKeys() {
    for (const box of document.querySelectorAll(WIDE)) {
      if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    }
  }

  offerKeys();
  document.addEventListener("htmx:after:swap", () => requestAnimationFrame(offerKeys));
  addEventListener("resize", offerKeys);
}
