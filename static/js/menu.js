// What a message's “More” shows. Without scripts each of these is a page of its own.
{
  const menu = document.createElement("div");
  menu.id = "menu";
  menu.className = "menu";
  menu.popover = "auto";
  menu.setAttribute("role", "dialog");
  document.body.append(menu);
  let opener = null;

  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (ctx.target === menu && ctx.response.status < 400) show(ctx.sourceElement);
    else if (ctx.target?.id === "chat" && menu.matches(":popover-open")) menu.hidePopover();
  });

  function show(source) {
    if (!menu.matches(":popover-open")) {
      opener = source;
      menu.setAttribute("aria-label", source.getAttribute("aria-label") ?? source.textContent.trim());
      menu.showPopover();
    }
    place();
    menu.querySelector("select, .danger, a, button")?.focus({ preventScroll: true });
  }

  // Below what opened it, or above where there is no room; on a narrow screen the style says where.
  function place() {
    const there = opener.getBoundingClientRect();
    const above = there.bottom + menu.offsetHeight > innerHeight - 16;
    const top = above ? there.top - menu.offsetHeight - 4 : there.bottom + 4;
    menu.style.top = `${Math.max(8, top)}px`;
    menu.style.left = `${Math.max(8, Math.min(there.left, innerWidth - menu.offsetWidth - 16))}px`;
  }

  menu.addEventListener("click", (event) => {
    if (!event.target.closest("[data-close]")) return;
    event.preventDefault();
    menu.hidePopover();
  });

  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const items = [...menu.querySelectorAll(".menu-list a")];
    if (!step || !items.length) return;
    event.preventDefault();
    items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  });
}
