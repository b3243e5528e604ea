// The few things that HTML and htmx cannot say. Every page works without it.
(() => {
  "use strict";

  const scroller = () => document.querySelector(".scroller");
  const composer = () => document.querySelector("[data-composer]");
  // The list is reversed: 0 is its end, and above it positions are negative.
  const isAtEnd = (list) => list.scrollTop > -48;

  function notice(name) {
    const template = document.getElementById(`notice-${name}`);
    const toasts = document.getElementById("toasts");
    if (template && toasts) toasts.replaceChildren(template.content.cloneNode(true));
  }

  // --- The composer ---

  const isTouch = matchMedia("(pointer: coarse)");

  document.addEventListener("keydown", (event) => {
    const area = event.target;
    if (event.isComposing || event.keyCode === 229) return; // an input method is choosing a word
    if (area instanceof HTMLTextAreaElement && area.matches("[data-composer]")) {
      const sends = event.key === "Enter" && !event.shiftKey && !event.altKey && !isTouch.matches;
      if (sends) {
        event.preventDefault();
        if (area.value.trim() && !area.readOnly) area.form.requestSubmit();
      }
    } else if (event.key === "/" && !isTyping(area) && composer()) {
      event.preventDefault();
      composer().focus();
    }
    if (event.key === "Escape" && !document.querySelector(":popover-open")) {
      document.querySelector("#composer .stop")?.click();
    }
  });

  const isTyping = (element) =>
    element instanceof HTMLElement && (element.isContentEditable || element.matches("input, textarea, select"));

  // On touch this would open the keyboard over the text.
  if (!isTouch.matches && !document.querySelector("[autofocus]")) composer()?.focus({ preventScroll: true });

  if (!CSS.supports("field-sizing", "content")) {
    document.addEventListener("input", (event) => {
      if (!event.target.matches("[data-composer]")) return;
      event.target.style.height = "auto";
      event.target.style.height = `${event.target.scrollHeight}px`;
    });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    // A form that leaves the page is sent once; htmx looks after its own.
    if (form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 3000); // it may have been called off
  });

  // --- Following the answer ---

  document.addEventListener("htmx:before:request", (event) => {
    const { sourceElement } = event.detail.ctx;
    if (sourceElement.id === "composer") {
      composer().readOnly = true;
      const list = scroller();
      if (list) list.scrollTop = 0;
    }
  });

  document.addEventListener("htmx:finally:request", () => {
    if (composer()) composer().readOnly = false;
  });

  document.addEventListener("htmx:after:swap", () => showNewer(true));
  document.addEventListener("scroll", () => showNewer(false), { capture: true, passive: true });

  function showNewer(hasNews) {
    const list = scroller();
    const button = document.querySelector("[data-newer]");
    if (!list || !button) return;
    if (isAtEnd(list)) button.hidden = true;
    else if (hasNews && document.querySelector(".poller")) button.hidden = false;
  }

  // --- When the server is away, or refuses ---

  // What comes from a proxy, or from before the pages, is no fragment of ours: never put it into the page.
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    if (ctx.response && ctx.response.status >= 400 && !ctx.hx.retarget) {
      event.preventDefault();
      if (!isPoller(ctx.sourceElement)) notice("refused");
    }
  });

  const isPoller = (element) => element instanceof HTMLElement && element.matches(".poller");
  const failures = new WeakMap();

  function askAgain(poller) {
    const count = (failures.get(poller) ?? 0) + 1;
    failures.set(poller, count);
    const pause = Math.min(10000, 500 * 2 ** Math.min(count, 5)) * (0.75 + Math.random() / 2);
    setTimeout(() => poller.isConnected && poller.dispatchEvent(new Event("again")), pause);
  }

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    const comesBack = ctx.response.status >= 500 || ctx.response.status === 429;
    if (isPoller(ctx.sourceElement) && comesBack) askAgain(ctx.sourceElement);
  });

  document.addEventListener("htmx:error", (event) => {
    const source = event.detail.ctx?.sourceElement;
    if (isPoller(source)) askAgain(source);
    if (source && document.visibilityState === "visible") notice("unreachable");
  });

  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response.status < 400) document.getElementById("toasts")?.replaceChildren();
  });

  // --- Copying ---

  // Only where nothing changes any more: what is still written is compared with what the server sends.
  function offerCopies() {
    const offer = document.getElementById("copy-code");
    if (!offer) return;
    for (const header of document.querySelectorAll(".blocks:not(.open) .code-header")) {
      if (!header.querySelector("button")) header.append(offer.content.cloneNode(true));
    }
  }

  offerCopies();
  document.addEventListener("htmx:after:swap", offerCopies);

  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-copy], [data-copy-code], [data-newer]");
    if (!button) return;
    if (button.matches("[data-newer]")) {
      scroller().scrollTop = 0;
      return;
    }
    const source = button.closest(".code")?.querySelector("pre") ?? document.getElementById(button.dataset.copy);
    if (source && (await copied(source))) {
      document.getElementById("announcer").textContent = document.getElementById("copied").content.textContent;
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1500);
    }
  });

  async function copied(source) {
    try {
      await navigator.clipboard.writeText(source.innerText);
      return true;
    } catch {
      // Without https there is no clipboard: select it instead, so that one key is enough.
      getSelection().selectAllChildren(source);
      return false;
    }
  }
})();
