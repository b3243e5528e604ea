// The bar of the search within a conversation, and what needs all of its messages.

const finder = () => document.getElementById("finder");
let places = [];
let here = 0;

/** Where all messages are on the page, and from the bar itself, the browser's own search is better. */
function wantsFinder(target) {
  if (!finder() || target === finder().querySelector("input")) return false;
  if (finder().hidden && !hasEarlier()) return false;
  void openFinder();
  return true;
}

async function openFinder() {
  finder().hidden = false;
  finder().querySelector("input").select();
  await loadAll();
  search();
}

const hasEarlier = () => Boolean(document.querySelector("#earlier a"));

/** The link may be loading the next ones by itself at this moment: then it is asked again. */
async function loadAll() {
  for (let tries = 0; tries < 100; tries += 1) {
    const link = document.querySelector("#earlier a");
    if (!link) return;
    await htmx.ajax("GET", `${link.getAttribute("href")}&whole=1`, { source: link, target: "#earlier", swap: "outerHTML" });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What is printed is the whole conversation. */
function wantsPrinting() {
  if (!hasEarlier()) return false;
  void loadAll().then(() => print());
  return true;
}

function search() {
  places = found(document, finder().querySelector("input").value);
  go(nearestFound(places));
}

function go(to) {
  here = places.length ? (to + places.length) % places.length : 0;
  markFound(places, here);
  const { value } = finder().querySelector("input");
  const count = places.length ? `${here + 1}/${places.length}` : finder().dataset.none;
  finder().querySelector("output").textContent = value.trim() ? count : "";
}

function closeFinder() {
  finder().hidden = true;
  unmarkFound();
  scroller()?.focus({ preventScroll: true });
  return true;
}

document.addEventListener("input", ({ target }) => target.matches?.("#finder input") && search());
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("#finder button");
  if (!button) return;
  if (button.dataset.step) go(here + Number(button.dataset.step));
  else closeFinder();
});
document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("#finder input") || event.key !== "Enter" || isComposing(event)) return;
  event.preventDefault();
  go(here + (event.shiftKey ? -1 : 1));
});
