// What is copied of an answer, as other programs can use it: no colours, classes or buttons, and formulas as their source.

const KEPT_WHEN_COPIED = new Set(["href", "title", "start", "align", "colspan", "rowspan"]);

/**
 * @param {Node} content
 * @returns {string} HTML
 */
export function richText(content) {
  const copy = document.createElement("div");
  copy.append(content.cloneNode(true));
  for (const element of copy.querySelectorAll("button, .code-header, .visually-hidden")) element.remove();
  for (const formula of copy.querySelectorAll(".math")) formula.replaceWith(sourceOf(formula));
  for (const box of copy.querySelectorAll("input")) box.replaceWith(box.hasAttribute("checked") ? "☑ " : "☐ ");
  for (const element of copy.querySelectorAll("*")) {
    for (const { name } of [...element.attributes]) if (!KEPT_WHEN_COPIED.has(name)) element.removeAttribute(name);
    if (element.matches("span, div, section, label, a:not([href])")) element.replaceWith(...element.childNodes);
  }
  return copy.innerHTML;
}

function sourceOf(formula) {
  const source = (formula.querySelector("annotation") ?? formula).textContent.trim();
  const isOfItsOwn = formula.matches("div") || formula.querySelector("[display=block]");
  const written = document.createElement(isOfItsOwn ? "p" : "span");
  written.innerText = isOfItsOwn ? `$$\n${source}\n$$` : `$${source}$`;
  return written;
}

function elementOf(node) {
  return node instanceof Element ? node : node.parentElement;
}

/** The selection, with formulas whole: half of one has no source. */
function chosen() {
  const selection = getSelection();
  if (!selection?.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0).cloneRange();
  const [first, last] = [range.startContainer, range.endContainer].map((node) => elementOf(node)?.closest(".math"));
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  return range;
}

function linesOf(html) {
  const shown = document.createElement("div");
  shown.className = "visually-hidden prose";
  shown.innerHTML = html;
  document.body.append(shown);
  const lines = shown.innerText;
  shown.remove();
  return lines;
}

document.addEventListener("copy", (event) => {
  const range = event.defaultPrevented || event.target.closest?.("input, textarea, [contenteditable]") ? null : chosen();
  const around = range && elementOf(range.commonAncestorContainer);
  if (!around || !(around.closest(".prose") || around.querySelector(".prose"))) return;
  const content = range.cloneContents();
  const html = richText(content);
  event.clipboardData.setData("text/html", around.closest("pre") ? `<pre>${html}</pre>` : html);
  event.clipboardData.setData("text/plain", content.querySelector(".math") ? linesOf(html) : String(getSelection()));
  event.preventDefault();
});
