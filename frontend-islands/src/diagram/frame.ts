// Inside the frame that draws diagrams: a document without an origin, which may load its own scripts and nothing else.
// One message comes in, with a port; what goes out of it is a height or that there is no drawing.
import mermaid from "mermaid";
import type { Drawing, Outcome } from "@/features/diagrams/drawing";

const MOST = { text: 50_000, edges: 500 };

let number = 0;

async function draw({ source, colours, font, isDark }: Drawing): Promise<Outcome> {
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    // A diagram may not say how it is drawn: what it says of styles and labels would be code of a kind.
    secure: ["secure", "securityLevel", "startOnLoad", "suppressErrorRendering", "maxTextSize", "maxEdges", "htmlLabels", "themeCSS", "fontFamily"],
    htmlLabels: false,
    maxTextSize: MOST.text,
    maxEdges: MOST.edges,
    fontFamily: font,
    theme: "base",
    themeVariables: {
      darkMode: isDark,
      background: colours.surface,
      primaryColor: colours.user,
      primaryTextColor: colours.ink,
      primaryBorderColor: colours.accent,
      secondaryColor: colours.sunken,
      tertiaryColor: colours.surface,
      edgeLabelBackground: colours.surface,
      lineColor: colours.muted,
      textColor: colours.ink,
      fontSize: "15px",
    },
  });
  // A new name each time: what has the old one would be taken away before there is anything in its place.
  const { svg } = await mermaid.render(`diagram-${++number}`, source);
  const drawn = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  if (!drawn) throw new Error("no drawing");
  // Nothing here leads anywhere.
  for (const link of drawn.querySelectorAll("a")) {
    for (const { name } of [...link.attributes]) if (/href|target/.test(name)) link.removeAttribute(name);
  }
  document.body.replaceChildren(drawn);
  return { height: Math.ceil(document.body.getBoundingClientRect().height), label: labelOf(drawn) };
}

/** What the diagram says of itself (accTitle, accDescr), for those who listen. */
function labelOf(drawn: Element): string {
  return [...drawn.querySelectorAll(":scope > title, :scope > desc")].map((each) => each.textContent.trim()).join(". ");
}

addEventListener("message", (first: MessageEvent<Drawing>) => {
  const port = first.ports[0];
  if (!port) return;
  let last = { height: 0, label: "" };
  const tell = (outcome: Outcome): void => port.postMessage((last = outcome));
  const begin = ({ data }: MessageEvent<Drawing>): void => void draw(data).then(tell, () => tell({ height: 0, label: "" }));
  port.onmessage = begin;
  begin(first);
  // As wide as the page lets it: what is narrower is also lower.
  new ResizeObserver(() => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (last.height && height !== last.height) tell({ ...last, height });
  }).observe(document.documentElement);
}, { once: true });
