// Enriches the `data-island` places of a page. Each is HTML that already works; what makes more of it is loaded when
// somebody is about to use it, mounted, and unmounted when the page changes there.
import type { Mounted } from "./mounting";

interface Island {
  /** Calls `start` as soon as somebody is about to use it. */
  wanted: (host: HTMLElement, start: () => void, signal: AbortSignal) => void;
  mount: (host: HTMLElement) => Promise<Mounted>;
}

const ISLANDS: Record<string, Island> = {
  // A finger gets the list that its device has. A mouse comes near before it presses; keys arrive with the focus.
  "model-picker": {
    wanted: (host, start, signal) => {
      host.addEventListener("pointerover", ({ pointerType }) => pointerType !== "touch" && start(), { signal });
      host.addEventListener("focusin", () => host.matches(":has(:focus-visible)") && start(), { signal });
    },
    mount: async (host) => (await import("./modelPicker")).mount(host),
  },
  "usage-chart": {
    wanted: (host, start, signal) => host.addEventListener("toggle", start, { signal }),
    mount: async (host) => (await import("./usageChart")).mount(host),
  },
  diagrams: {
    wanted: (host, start, signal) => {
      const look = (): void => {
        const languages = [...host.querySelectorAll(".code-language")];
        if (languages.some(({ textContent }) => textContent === "mermaid")) start();
      };
      look();
      document.addEventListener("htmx:after:swap", look, { signal });
    },
    mount: async (host) => (await import("./diagrams")).mount(host),
  },
};

interface Place {
  isLoading: boolean;
  mounted: Mounted | null;
  leave: AbortController;
}

const places = new Map<HTMLElement, Place>();

function look(): void {
  // A swap may have taken the place away, or emptied it and left it.
  for (const [host, place] of places) if (!host.isConnected || place.mounted?.stands() === false) drop(host, place);
  for (const host of document.querySelectorAll<HTMLElement>("[data-island]")) if (!places.has(host)) offer(host);
}

function drop(host: HTMLElement, { leave, mounted }: Place): void {
  leave.abort();
  mounted?.unmount();
  places.delete(host);
}

function offer(host: HTMLElement): void {
  const island = ISLANDS[host.dataset["island"] ?? ""];
  if (!island) return;
  const place: Place = { isLoading: false, mounted: null, leave: new AbortController() };
  places.set(host, place);
  island.wanted(host, () => void start(host, island, place), place.leave.signal);
}

async function start(host: HTMLElement, island: Island, place: Place): Promise<void> {
  if (place.isLoading || place.mounted) return;
  place.isLoading = true;
  try {
    const mounted = await island.mount(host);
    if (place.leave.signal.aborted) mounted.unmount();
    else place.mounted = mounted;
  } catch {
    // The plain HTML stays; the next time may go better.
  }
  place.isLoading = false;
}

look();
document.addEventListener("htmx:after:swap", look);
