// Diagrams: a piece of code whose language is mermaid can be drawn. The text stays what it is; the drawing is made in
// a frame that may run its own scripts and nothing else, and that can reach neither this page nor anything outside.
import { t } from "@/i18n";
import "@/styles/diagrams.css";
import { COLOURS, type Drawing, type Outcome } from "./drawing";

const ADDRESS = "/static/diagram.html";
const PATIENCE = 20_000;
const TALLEST = 4_000;
const ports = new WeakMap<HTMLIFrameElement, MessagePort>();

/** A button over each piece of code that is a diagram's source and has none yet. */
export function offerDiagrams(root: ParentNode): void {
  for (const code of root.querySelectorAll<HTMLElement>(".code:not(:has(.draw))")) {
    if (code.querySelector(".code-language")?.textContent !== "mermaid" || code.closest(".blocks.open")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet draw";
    button.textContent = t("Draw");
    button.addEventListener("click", () => void toggle(code, button));
    code.querySelector(".code-language")!.after(button);
  }
}

async function toggle(code: HTMLElement, button: HTMLButtonElement): Promise<void> {
  const source = code.querySelector("pre")!;
  const frame = code.querySelector("iframe");
  code.querySelector(".diagram-failure")?.remove();
  if (frame) {
    frame.remove();
    source.hidden = false;
    button.textContent = t("Draw");
    return;
  }
  button.disabled = true;
  const isDrawn = await draw(code, source.textContent);
  button.disabled = false;
  if (isDrawn) {
    source.hidden = true;
    button.textContent = t("Source");
  } else code.append(failure());
}

async function draw(code: HTMLElement, source: string): Promise<boolean> {
  const frame = document.createElement("iframe");
  frame.className = "diagram";
  frame.title = t("Diagram");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.height = "0";
  frame.src = ADDRESS;
  code.append(frame);
  const outcome = await asked(frame, source);
  if (!outcome?.height) frame.remove();
  return Boolean(outcome?.height);
}

/** What came of it; null when the frame says nothing for long. */
function asked(frame: HTMLIFrameElement, source: string): Promise<Outcome | null> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, PATIENCE, null);
    frame.addEventListener("load", () => {
      const { port1, port2 } = new MessageChannel();
      ports.set(frame, port1);
      port1.onmessage = ({ data }: MessageEvent<unknown>) => {
        clearTimeout(late);
        const outcome = outcomeOf(data);
        if (outcome?.height) fit(frame, outcome);
        resolve(outcome);
      };
      // It has no origin that could be named; a window that is not ours to the last could only draw what it was given.
      frame.contentWindow!.postMessage(drawingOf(source), "*", [port2]);
    }, { once: true });
  });
}

/** Whatever ran in there is not believed: a number within reason, and a short text. */
function outcomeOf(data: unknown): Outcome | null {
  const { height, label } = (data ?? {}) as Partial<Outcome>;
  if (typeof height !== "number" || !(height >= 0)) return null;
  return { height: Math.min(height, TALLEST), label: typeof label === "string" ? label.slice(0, 500) : "" };
}

function fit(frame: HTMLIFrameElement, { height, label }: Outcome): void {
  frame.height = String(Math.ceil(height));
  if (label) frame.title = label;
}

function drawingOf(source: string): Drawing {
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = Object.fromEntries(COLOURS.map((name) => [name, colour(name)])) as Drawing["colours"];
  probe.remove();
  const scheme = document.documentElement.dataset["theme"] ?? (prefersDark.matches ? "dark" : "light");
  return { source, colours, font: getComputedStyle(document.body).fontFamily, isDark: scheme === "dark" };
}

function failure(): HTMLElement {
  const words = document.createElement("p");
  words.className = "diagram-failure";
  words.setAttribute("role", "status");
  words.textContent = t("This diagram could not be drawn. Its source is above.");
  return words;
}

// Another theme: what is drawn is drawn anew.
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function drawAnew(): void {
  for (const frame of document.querySelectorAll<HTMLIFrameElement>("iframe.diagram")) {
    const source = frame.closest(".code")?.querySelector("pre")?.textContent;
    if (source) ports.get(frame)?.postMessage(drawingOf(source));
  }
}
prefersDark.addEventListener("change", drawAnew);
new MutationObserver(drawAnew).observe(document.documentElement, { attributeFilter: ["data-theme"] });
