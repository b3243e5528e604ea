// What a page loads must stay small: gzip sizes of each entry with everything that it imports at once. Of the islands all
// there is counts, though a page loads one only when somebody uses it; what draws diagrams is a page of its own.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", dist), "utf8"));
const FRAME = "src/features/conversations/ConversationFrame.vue";
const LIMITS = [
  { page: "sign-in", entries: ["index.html", "src/pages/LoginPage.vue"], js: 110, css: 30 },
  { page: "chat", entries: ["index.html", FRAME, "src/pages/ConversationPage.vue"], js: 200, css: 30 },
];

function files(names) {
  const seen = new Set();
  const found = { js: new Set(), css: new Set() };
  const walk = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    const chunk = manifest[name];
    if (!chunk) throw new Error(`the build has no ${name}`);
    found.js.add(chunk.file);
    for (const style of chunk.css ?? []) found.css.add(style);
    (chunk.imports ?? []).forEach(walk);
  };
  names.forEach(walk);
  return found;
}

const kilobytes = (names) => [...names].reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, dist))).length, 0) / 1000;

let isOver = false;
function weigh(what, names, limit) {
  const size = kilobytes(names);
  isOver ||= size > limit;
  console.log(`${what}: ${size.toFixed(1)} kB (at most ${limit})`);
}

for (const { page, entries, ...limits } of LIMITS) {
  const found = files(entries);
  for (const kind of ["js", "css"]) weigh(`${page}, ${kind}`, found[kind], limits[kind]);
}
const islands = Object.values(JSON.parse(readFileSync(new URL("islands.json", dist), "utf8")));
weigh("islands, before any is used", new Set(islands.filter(({ isEntry }) => isEntry).map(({ file }) => file)), 2.5);
weigh("islands, all", new Set(islands.flatMap(({ file, css = [] }) => [file, ...css])), 40);
if (isOver) process.exit(1);
