// When the server is away, or refuses.
{
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
}
