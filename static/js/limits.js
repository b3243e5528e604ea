// A text that is too long is kept whole and not sent; `maxlength` would cut what is pasted without a word.
{
  const LIMITED = "[data-most]";

  function check(field) {
    const { lang } = document.documentElement;
    const over = excess(field.value, Number(field.dataset.most), wording("too-long"), lang);
    if (!over && !field.validity.customError) return;
    field.setCustomValidity(over);
    if (over) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    const note = field.parentElement.querySelector("[data-over]");
    if (note) note.textContent = over;
  }

  function checkAll() {
    for (const field of document.querySelectorAll(LIMITED)) check(field);
  }

  // What is refused can be seen.
  document.addEventListener("invalid", ({ target }) => target.closest("details")?.setAttribute("open", ""), true);

  checkAll();
  document.addEventListener("input", ({ target }) => target.matches?.(LIMITED) && check(target));
  document.addEventListener("htmx:after:swap", checkAll);
}
