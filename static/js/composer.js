// The form that a message is written in.
{
  document.addEventListener("keydown", (event) => {
    const area = event.target;
    if (isComposing(event) || !(area instanceof HTMLTextAreaElement) || !area.matches("[data-sends]")) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !isTouch.matches) {
      event.preventDefault();
      if (area.value.trim() && !area.readOnly) area.form.requestSubmit();
    }
    const cancel = event.key === "Escape" && area.form.querySelector("[data-cancel]");
    if (cancel) {
      event.stopImmediatePropagation(); // it stops no answer
      cancel.click();
    }
  });

  // On touch this would open the keyboard over the text.
  if (!isTouch.matches && !document.querySelector("[autofocus]")) composer()?.focus({ preventScroll: true });

  // One goes on where the text ends.
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches("[data-sends][autofocus]")) target.setSelectionRange(target.value.length, target.value.length);
  });

  if (!CSS.supports("field-sizing", "content")) {
    document.addEventListener("input", (event) => {
      if (!event.target.matches("[data-sends]")) return;
      event.target.style.height = "auto";
      event.target.style.height = `${event.target.scrollHeight}px`;
    });
  }

  document.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx.sourceElement.id !== "composer") return;
    composer().readOnly = true;
    const list = scroller();
    if (list) list.scrollTop = 0;
  });

  document.addEventListener("htmx:finally:request", () => {
    if (composer()) composer().readOnly = false;
  });
}
