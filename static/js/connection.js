// When the server is away, or refuses; when the page was asleep.
{
  const HELD = 30000; // the server holds a request for 20 s; what takes longer was lost on the way
  const ASLEEP = 5000;
  const isPoller = (element) => element instanceof HTMLElement && element.matches(".poller");
  const failures = new WeakMap();
  let hiddenAt = 0;

  function showConnection(isThere) {
    const banner = document.getElementById("connection");
    if (banner) banner.hidden = isThere;
  }

  // What comes from a proxy, or from before the pages, is no fragment of ours: never put it into the page.
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    if (ctx.response && ctx.response.status >= 400 && !ctx.hx.retarget) {
      event.preventDefault();
      if (!isPoller(ctx.sourceElement)) notice("refused");
    }
  });

  // A background request must not lead to the sign-in page: the person may be filling in a form.
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.inBackground && ctx.response.status === 401) event.preventDefault();
  });

  // A poll says where it stands, nothing else: it is the most frequent request of all.
  const UNUSED = ["HX-Source", "HX-Current-URL", "HX-Target", "HX-Request-Type", "X-CSRF-Token"];
  document.addEventListener("htmx:config:request", (event) => {
    if (isPoller(event.detail.ctx.sourceElement)) event.detail.ctx.request.timeout = HELD;
  });
  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (isPoller(ctx.sourceElement)) for (const name of UNUSED) delete ctx.request.headers[name];
  });

  function askAgain(poller) {
    const count = (failures.get(poller) ?? 0) + 1;
    failures.set(poller, count);
    const pause = Math.min(10000, 500 * 2 ** Math.min(count, 5)) * (0.75 + Math.random() / 2);
    setTimeout(() => ask(poller), pause);
  }

  const ask = (poller) => poller.isConnected && poller.dispatchEvent(new Event("again"));

  function askAtOnce() {
    for (const poller of document.querySelectorAll(".poller")) ask(poller);
  }

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    const comesBack = ctx.response.status >= 500 || ctx.response.status === 429;
    if (isPoller(ctx.sourceElement) && comesBack) askAgain(ctx.sourceElement);
  });

  document.addEventListener("htmx:error", (event) => {
    const source = event.detail.ctx?.sourceElement;
    if (!source) return;
    showConnection(false);
    if (isPoller(source)) askAgain(source);
    else notice("unreachable");
  });

  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response.status >= 400) return;
    showConnection(true);
    // What is said about the person's own request stays until their next one.
    if (!event.detail.ctx.inBackground) document.getElementById("toasts")?.replaceChildren();
  });

  addEventListener("offline", () => showConnection(false));
  addEventListener("online", () => {
    showConnection(true);
    askAtOnce();
  });

  // A phone that slept does not notice that its requests are dead.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenAt = Date.now();
    else if (hiddenAt && Date.now() - hiddenAt > ASLEEP) askAtOnce();
  });
  document.addEventListener("resume", askAtOnce);
}
