// Keys that work everywhere on a page.
document.addEventListener("keydown", (event) => {
  if (isComposing(event)) return;
  if (event.key === "/" && !isTyping(event.target) && composer()) {
    event.preventDefault();
    composer().focus();
  }
  if (event.key === "Escape" && !document.querySelector(":popover-open")) {
    document.querySelector("#composer .stop")?.click();
  }
});
