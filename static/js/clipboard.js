/**
 * Whether a text, or one that is still on its way, was copied. The pages and the application both copy by this.
 * @param {string | Promise<string>} text
 * @returns {Promise<boolean>}
 */
export async function copied(text) {
  try {
    // While the text is still on its way the browser must already know that it is wanted.
    if (typeof text !== "string" && window.ClipboardItem) {
      const blob = text.then((read) => new Blob([read], { type: "text/plain" }));
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    } else await navigator.clipboard.writeText(await text);
    return true;
  } catch {
    return Promise.resolve(text).then(copiedByHand, () => false);
  }
}

// Without https there is no clipboard to write to, only the oldest way.
function copiedByHand(text) {
  const area = document.createElement("textarea");
  const before = document.activeElement;
  area.value = text;
  area.className = "visually-hidden";
  // Outside of an open dialog nothing can be selected.
  const around = document.querySelector("dialog:modal") ?? document.querySelector(":popover-open") ?? document.body;
  around.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus({ preventScroll: true });
  return done;
}
