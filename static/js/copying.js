// Copy a message, a link to it or a piece of code.
{
  // Only where nothing changes any more: what is still written is compared with what the server sends.
  function offerCopies() {
    const offer = document.getElementById("copy-code");
    if (!offer) return;
    for (const header of document.querySelectorAll(".blocks .code-header:not(:has([data-copy-code]))")) {
      if (!isOpen(header)) header.append(offer.content.cloneNode(true));
    }
  }

  function isOpen(header) {
    const text = header.closest(".blocks.open");
    if (!text) return false;
    const mark = [...text.childNodes].find((node) => node.nodeType === Node.COMMENT_NODE);
    return Boolean(mark && mark.compareDocumentPosition(header) & Node.DOCUMENT_POSITION_FOLLOWING);
  }

  offerCopies();
  document.addEventListener("htmx:after:swap", offerCopies);

  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-copy], [data-copy-link], [data-copy-code]");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const answer = button.matches(".tools [data-copy]") && button.closest(".message")?.querySelector(".prose");
    if (await copied(wanted(button), answer ? richText(answer) : undefined)) {
      announce(wording("copied"));
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1500);
      button.closest("[popover]")?.hidePopover();
    } else notice("refused");
  });

  function wanted(button) {
    if (button.matches("[data-copy-code]")) return button.closest(".code").querySelector("pre").innerText;
    if (button.matches("[data-copy-link]")) return button.href;
    if (button.dataset.copy) return document.getElementById(button.dataset.copy).innerText;
    return fetch(button.href).then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)));
  }
}
