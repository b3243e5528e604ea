// Answers that are being written.
{
  // A comment parts what is closed from what still grows; the server sends what comes after it.
  htmx.registerExtension("growing", {
    handle_swap(style, target, fragment) {
      if (style !== "grow" && style !== "grown") return false;
      grow(target, ...fragment.children, style === "grown");
      return [];
    },
  });

  function grow(target, closed, open, isOver) {
    let mark = target.lastChild;
    while (mark && mark.nodeType !== Node.COMMENT_NODE) mark = mark.previousSibling;
    if (!mark) return;
    const next = [...closed.childNodes, ...open.childNodes];
    const first = next[closed.childNodes.length];
    const kept = patchAll(target, mark.nextSibling, next);
    target.insertBefore(mark, first ? kept.get(first) : null);
    if (isOver) {
      mark.remove();
      target.classList.remove("open");
      target.removeAttribute("aria-busy");
    }
  }

  // Who listens hears sentences, not words, and not more often than one can follow.
  const BETWEEN = 5000;
  const heard = new WeakMap();
  let spokenAt = 0;
  // Code is read by who wants to, not read out.
  const spokenText = (text) =>
    [...text.children].map((block) => (block.matches(".code") ? "" : `${block.innerText}\n`)).join("");
  for (const text of document.querySelectorAll(".prose.open")) heard.set(text, spokenText(text).length);

  function speak(text, end) {
    if (document.hidden || (!end && Date.now() - spokenAt < BETWEEN)) return;
    const rest = text ? spokenText(text).slice(heard.get(text) ?? 0) : "";
    const said = end ? rest : (/^[^]*(?:[.!?…](?=\s)|[。！？]|\n)/.exec(rest)?.[0] ?? "");
    if (!end && !said.trim()) return;
    if (text) heard.set(text, (heard.get(text) ?? 0) + said.length);
    spokenAt = Date.now();
    announce(`${said.trim()} ${end}`.trim());
  }

  const textOf = (id) => document.getElementById(id)?.querySelector(".prose");

  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (!ctx.sourceElement?.matches?.(".poller")) return;
    ctx.answer = ctx.sourceElement.closest(".message")?.id;
    // What is said at the end is said once, after the last of the text.
    const at = tasks.findIndex((task) => task.target === "#announcer" || task.target?.id === "announcer");
    if (at >= 0) ctx.end = tasks.splice(at, 1)[0].fragment.textContent.trim();
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const { answer, end = "" } = event.detail.ctx;
    if (!answer) return;
    speak(textOf(answer), end);
    if (end && document.hidden) tell();
  });

  // In another tab: the title and the icon tell that there is something to read, also when the title changes then.
  const MARK = "● ";
  const icon = document.querySelector("link[rel=icon]");
  const usual = icon?.href;
  let isNews = false;

  const mark = () => isNews && !document.title.startsWith(MARK) && (document.title = MARK + document.title);
  new MutationObserver(mark).observe(document.head, { childList: true, subtree: true, characterData: true });

  function tell() {
    isNews = true;
    mark();
    if (icon?.dataset.news) icon.href = icon.dataset.news;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !isNews) return;
    isNews = false;
    document.title = document.title.replace(MARK, "");
    if (icon) icon.href = usual;
  });
}
