// Keys that work everywhere on a page. They are listed at /shortcuts.
{
  document.addEventListener("keydown", (event) => {
    if (isComposing(event) || event.defaultPrevented) return;
    const name = `${event.ctrlKey || event.metaKey ? "Ctrl " : ""}${event.altKey ? "Alt " : ""}${event.key}`;
    if (!isTheirs(event) && actions[name]?.(event.target)) event.preventDefault();
  });

  // Whoever types gets the letters, and in text the arrows too; a composer that is empty needs none.
  function isTheirs({ target, key, altKey, ctrlKey, metaKey }) {
    if (!isTyping(target) || ctrlKey || metaKey) return false;
    return key.length === 1 || (altKey && Boolean(target.value));
  }

  // Each says whether it had something to do; else the key is the browser's.
  const actions = {
    "/": () => focus(composer()),
    "?": () => showShortcuts(),
    F2: () => click("[data-rename]"),
    "Ctrl k": () => find(),
    "Ctrl K": () => find(),
    "Ctrl f": (target) => wantsFinder(target),
    "Ctrl p": () => wantsPrinting(),
    "Alt ArrowUp": () => step(-1),
    "Alt ArrowDown": () => step(1),
    Escape: (target) => escape(target),
  };

  function focus(element) {
    element?.focus();
    return Boolean(element);
  }

  function click(selector) {
    const element = document.querySelector(selector);
    element?.click();
    return Boolean(element);
  }

  function find() {
    const sidebar = document.getElementById("sidebar");
    if (sidebar && !sidebar.checkVisibility()) sidebar.showPopover();
    const words = document.getElementById("find");
    words?.select();
    return focus(words);
  }

  function step(by) {
    const links = [...document.querySelectorAll("#conversations li a:first-child")];
    const at = links.findIndex((link) => link.ariaCurrent);
    const next = links[at < 0 ? 0 : at + by];
    next?.click();
    return Boolean(next);
  }

  function escape(target) {
    if (target.matches?.("#find") && target.value) {
      target.value = "";
      target.dispatchEvent(new Event("input", { bubbles: true }));
      return true;
    }
    if (document.querySelector(":popover-open, dialog[open]")) return false;
    if (target.closest?.("#finder")) return closeFinder();
    return click("[data-cancel]") || click("#composer .stop");
  }

  async function openDialog(path) {
    const dialog = document.getElementById("dialog");
    await htmx.ajax("GET", path, { target: "#dialog", swap: "innerHTML" });
    if (dialog.firstElementChild && !dialog.open) dialog.showModal();
  }

  function showShortcuts() {
    if (!document.getElementById("dialog")) return false;
    openDialog("/shortcuts");
    return true;
  }

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest('a[href="/shortcuts"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link.closest(":popover-open")?.hidePopover();
    showShortcuts();
  });

  // What comes in place of something else takes the cursor.
  document.addEventListener("htmx:after:swap", () => {
    const field = document.querySelector("[data-select]:not([data-selected])");
    if (!field) return;
    field.dataset.selected = "";
    field.focus();
    field.select();
  });
}
