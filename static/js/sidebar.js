// The list of conversations, with a menu beside each row.
{
  const list = () => document.getElementById("conversations");
  const words = () => document.getElementById("find");
  const menu = () => document.getElementById("row-menu");

  // Everything that the list has now, as it is now: rows are morphed, so that scroll and focus stay.
  function refresh() {
    if (!list() || words().value.trim()) return;
    const count = Math.max(50, list().querySelectorAll("li").length);
    const current = document.getElementById("heading")?.dataset.conversation;
    const path = `/conversations?count=${count}${current ? `&current=${current}` : ""}`;
    htmx.ajax("GET", path, { target: "#conversations", swap: "innerMorph", inBackground: true }).catch(() => {});
  }

  document.addEventListener("conversations-changed", refresh);

  const current = list()?.querySelector("[aria-current]");
  if (list()) list().scrollTop = tried(() => sessionStorage.sidebar) ?? 0;
  current?.scrollIntoView({ block: "nearest" });
  addEventListener("pagehide", () => list() && tried(() => (sessionStorage.sidebar = list().scrollTop)));

  document.addEventListener("click", async (event) => {
    const more = event.target instanceof Element && event.target.closest("#conversations .more");
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await htmx.ajax("GET", more.pathname, { target: "#row-menu", swap: "innerHTML" });
    open(more);
  });

  function open(more) {
    if (!menu().firstElementChild) return;
    menu().showPopover({ source: more });
    const { right, bottom } = more.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = menu();
    menu().style.left = `${Math.max(8, Math.min(right - 24, innerWidth - offsetWidth - 8))}px`;
    menu().style.top = `${Math.max(8, Math.min(bottom, innerHeight - offsetHeight - 8))}px`;
    menu().querySelector("a, button").focus();
  }

  // What was chosen is under way: the menu has done its work.
  document.addEventListener("htmx:after:request", (event) => {
    event.detail.ctx.sourceElement?.closest?.(".deeds:popover-open")?.hidePopover();
  });
}
