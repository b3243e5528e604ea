// What was typed and not sent is still there when one comes back.
{
  const SENT = "teahouse-sent";
  let timer = 0;

  const keyOf = ({ dataset }) => draftKey(dataset.user, dataset.draft);

  function keep() {
    const area = composer();
    clearTimeout(timer);
    timer = 0;
    if (area) keepDraft(keyOf(area), area.value);
  }

  // Never over what stands there: the server's answer to a refusal is newer.
  function restore() {
    const area = composer();
    if (!area || area.value || area.hasAttribute("aria-invalid")) return;
    const text = readDraft(keyOf(area));
    if (!text) return;
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  forgetDrafts();

  // In another window: what stands here is nobody's any more, and the page is for whoever is signed in now.
  whenLeft((userId) => {
    const area = composer();
    if (area?.dataset.user !== userId) return;
    area.value = "";
    keep();
    location.reload();
  });

  // A form that leaves the page was sent if the next page is another one.
  const sent = tried(() => sessionStorage.getItem(SENT));
  if (sent && composer()) {
    tried(() => sessionStorage.removeItem(SENT));
    if (sent !== keyOf(composer())) keepDraft(sent, "");
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
    keepDraft(keyOf(composer()), "");
  });
  document.addEventListener("htmx:after:swap", restore);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id === "composer" && !form.hasAttribute("hx-post")) {
      keep();
      tried(() => sessionStorage.setItem(SENT, keyOf(composer())));
    }
  });
}
