// What was typed and not sent is still there when one comes back.
{
  const PREFIX = "teahouse-draft/";
  const SENT = "teahouse-sent";
  let timer = 0;

  const keyOf = (area) => PREFIX + area.dataset.draft;

  function keep() {
    const area = composer();
    clearTimeout(timer);
    timer = 0;
    if (!area) return;
    tried(() =>
      area.value.trim() ? localStorage.setItem(keyOf(area), area.value) : localStorage.removeItem(keyOf(area)),
    );
  }

  // Never over what stands there: the server's answer to a refusal is newer.
  function restore() {
    const area = composer();
    if (!area || area.value || area.hasAttribute("aria-invalid")) return;
    const text = tried(() => localStorage.getItem(keyOf(area)));
    if (!text) return;
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A form that leaves the page was sent if the next page is another one.
  const sent = tried(() => sessionStorage.getItem(SENT));
  if (sent && composer()) {
    tried(() => sessionStorage.removeItem(SENT));
    if (sent !== keyOf(composer())) tried(() => localStorage.removeItem(sent));
  }
  restore();

  document.addEventListener("input", (event) => {
    if (event.target === composer() && !timer) timer = setTimeout(keep, 400);
  });
  const keepNow = () => timer && keep();
  addEventListener("pagehide", keepNow);
  document.addEventListener("visibilitychange", keepNow);

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement.id !== "composer" || ctx.response.status >= 400) return;
    clearTimeout(timer);
    timer = 0;
    tried(() => localStorage.removeItem(keyOf(composer())));
  });
  document.addEventListener("htmx:after:swap", restore);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id === "composer" && !form.hasAttribute("hx-post")) {
      keep();
      tried(() => sessionStorage.setItem(SENT, keyOf(composer())));
    }
    if (form.getAttribute("action") === "/logout") {
      tried(() => {
        for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
      });
      clearTimeout(timer);
      timer = 0;
    }
  });
}
