// A formula that is copied is copied as its source, as somebody would write it. Pages and application both do it by this.
{
  const formulaAround = (node) => (node instanceof Element ? node : node.parentElement)?.closest("math");

  // What is selected, with no formula of which only a part is.
  function wholeFormulas(range) {
    const whole = range.cloneRange();
    const [first, last] = [formulaAround(range.startContainer), formulaAround(range.endContainer)];
    if (first) whole.setStartBefore(first);
    if (last) whole.setEndAfter(last);
    return whole.cloneContents();
  }

  const isOfItsOwn = (formula) => formula.getAttribute("display") === "block";

  function sourceOf(formula) {
    const source = formula.querySelector("annotation")?.textContent ?? formula.textContent;
    return isOfItsOwn(formula) ? `$$\n${source}\n$$` : `$${source}$`;
  }

  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    const isOfText = event.target instanceof Element && event.target.closest("input, textarea");
    if (event.defaultPrevented || isOfText || !selection.rangeCount || selection.isCollapsed) return;
    const copy = wholeFormulas(selection.getRangeAt(0));
    const formulas = copy.querySelectorAll("math");
    if (!formulas.length) return;
    for (const formula of formulas) {
      const source = document.createElement(isOfItsOwn(formula) ? "div" : "span");
      source.innerText = sourceOf(formula);
      (formula.closest(".math") ?? formula).replaceWith(source);
    }
    for (const button of copy.querySelectorAll("button")) button.remove();
    // Only what is on the page has lines.
    const box = document.createElement("div");
    box.className = "visually-hidden";
    box.append(copy);
    document.body.append(box);
    event.clipboardData.setData("text/plain", box.innerText);
    event.clipboardData.setData("text/html", box.innerHTML);
    box.remove();
    event.preventDefault();
  });
}
