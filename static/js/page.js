// The few things that HTML and htmx cannot say. Every page works without them.
// All files of this folder are served as one module, this one first: what stands at its top level is for all of them, and
// what is exported for the application as well.

const scroller = () => document.querySelector(".scroller");
const composer = () => document.querySelector("[data-composer]");
const isTouch = matchMedia("(pointer: coarse)");

// An input method is choosing a word: its keys are not ours.
const isComposing = (event) => event.isComposing || event.keyCode === 229;

const isTyping = (element) =>
  element instanceof HTMLElement && (element.isContentEditable || element.matches("input, textarea, select"));

// Texts stand in templates of the page, in its language.
function wording(name) {
  return document.getElementById(name)?.content.textContent.trim() ?? "";
}

function notice(name) {
  const template = document.getElementById(`notice-${name}`);
  const toasts = document.getElementById("toasts");
  if (template && toasts) toasts.replaceChildren(template.content.cloneNode(true));
}

// For those who listen to the page.
function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}

// Times on pages are on the reader's clock: the server learns here which one that is.
{
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const secure = location.protocol === "https:" ? "; secure" : "";
  if (timeZone && !document.cookie.includes(`teahouse_zone=${timeZone}`)) {
    document.cookie = `teahouse_zone=${timeZone}; path=/; max-age=31536000; samesite=lax${secure}`;
  }
}
