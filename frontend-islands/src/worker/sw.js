// The service worker: it keeps the application's shell, and touches nothing else. What the server says is never kept.
// The build puts `SHELL` (addresses; the page itself first), `ENTRY` (its script) and `VERSION` before this.
/* global SHELL, ENTRY, VERSION */
const FAMILY = "teahouse-shell-";
const CACHE = FAMILY + VERSION;
const PAGE = "/app/";
const ASSETS = "/app/assets/";

self.addEventListener("install", (event) => {
  // The server is asked directly for everything but the page: the way there may not even wake this worker.
  event.addRoutes?.(["/api/*", "/static/*"].map((pathname) => ({ condition: { urlPattern: { pathname } }, source: "network" })));
  event.waitUntil(keepShell());
});

async function keepShell() {
  const page = await fetch(PAGE, { cache: "no-cache" });
  // In the middle of a deployment the page may be of another build than this worker: then not now.
  if (!page.ok || !(await page.clone().text()).includes(ENTRY)) throw new Error("the page is of another build");
  const cache = await caches.open(CACHE);
  await cache.put(PAGE, page);
  await cache.addAll(SHELL.filter((address) => address !== PAGE).map((address) => new Request(address, { cache: address.startsWith(ASSETS) ? "default" : "no-cache" })));
}

// Only when nobody has an older version open, or when somebody said so.
self.addEventListener("message", ({ data }) => {
  if (data === "take over") self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOld());
});

async function dropOld() {
  for (const name of await caches.keys()) if (name.startsWith(FAMILY) && name !== CACHE) await caches.delete(name);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || !pathname.startsWith(PAGE)) return;
  if (request.mode === "navigate") event.respondWith(kept(PAGE, request));
  else if (pathname.startsWith(ASSETS) || SHELL.includes(pathname)) event.respondWith(kept(request, request));
});

async function kept(key, request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(key);
  if (found) return found;
  const answer = await fetch(request);
  // The application's other parts, once somebody has used them. Their names change with their content.
  if (answer.ok && new URL(request.url).pathname.startsWith(ASSETS)) await cache.put(request, answer.clone());
  return answer;
}
