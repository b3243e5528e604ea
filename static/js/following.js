// Above the end of the conversation a button leads there; it says when new text has come.
{
  // The list is reversed: 0 is its end, and above it positions are negative.
  const isAtEnd = (list) => list.scrollTop > -48;

  document.addEventListener("htmx:after:swap", () => showButton(Boolean(document.querySelector(".poller"))));
  document.addEventListener("scroll", () => showButton(false), { capture: true, passive: true });

  function showButton(hasNews) {
    const list = scroller();
    const button = document.querySelector("[data-newer]");
    if (!list || !button) return;
    button.hidden = isAtEnd(list);
    const words = button.querySelector("[data-news]");
    if (button.hidden) words.hidden = true;
    else if (hasNews) words.hidden = false;
  }

  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-newer]")) scroller().scrollTop = 0;
  });
}

// The place that is read: kept while text arrives, and with the page in the browser's history.
{
  let list = null;

  async function attend() {
    if (!scroller() || scroller() === list) return;
    list = scroller();
    keepPlace(list, list.querySelector(".thread"), rememberPlace);
    const { place } = history.state ?? {};
    if (!place || toPlace(list, place)) return;
    await loadAll();
    toPlace(list, place);
  }

  document.addEventListener("htmx:after:swap", attend);
  addEventListener("pageshow", attend);
}
