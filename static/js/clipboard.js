/**
 * Whether a text, or one that is still on its way, was copied; as HTML too, for programs that take it. The pages and the
 * application both copy by this.
 * @param {string | Promise<string>} text
 * @param {string} [html]
 * @returns {Promise<boolean>}
 */
export async function copied(text, html) {
  try {
    // While the text is still on its way the browser must already know that it is wanted.
    if ((html || typeof text !== "string") && window.ClipboardItem) {
      const plain = Promise.resolve(text).then((read) => new Blob([read], { type: "text/plain" }));
      const rich = html && { "text/html": new Blob([html], { type: "text/html" }) };
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": plain, ...rich })]);
    } else await navigator.clipboard.writeText(await text);
    return true;
  } catch {
    return Promise.resolve(text).then((read) => copiedByHand(read, html), () => false);
  }
}

// Without https there is no clipboard to write to, only the oldest way.
function copiedByHand(text, html) {
  const area = document.createElement("textarea");
  const before = document.activeElement;
  area.value = text;
  area.className = "visually-hidden";
  area.addEventListener("copy", (event) => {
    event.clipboardData.setData("text/plain", text);
    if (html) event.clipboardData.setData("text/html", html);
    event.preventDefault();
  });
  // Outside of an open dialog nothing can be selected.
  const around = document.querySelector("dialog:modal") ?? document.querySelector(":popover-open") ?? document.body;
  around.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus({ preventScroll: true });
  return done;
}
