// Copy a message or a piece of code.
{
  // Only where nothing changes any more: what is still written is compared with what the server sends.
  function offerCopies() {
    const offer = document.getElementById("copy-code");
    if (!offer) return;
    for (const header of document.querySelectorAll(".blocks:not(.open) .code-header")) {
      if (!header.querySelector("button")) header.append(offer.content.cloneNode(true));
    }
  }

  offerCopies();
  document.addEventListener("htmx:after:swap", offerCopies);

  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-copy], [data-copy-code]");
    if (!button) return;
    const source = button.closest(".code")?.querySelector("pre") ?? document.getElementById(button.dataset.copy);
    if (source && (await copied(source))) {
      announce(wording("copied"));
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1500);
    }
  });

  async function copied(source) {
    try {
      await navigator.clipboard.writeText(source.innerText);
      return true;
    } catch {
      // Without https there is no clipboard: select it instead, so that one key is enough.
      getSelection().selectAllChildren(source);
      return false;
    }
  }
}
