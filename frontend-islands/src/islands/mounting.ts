// How a component gets into a place of the page, in the page's language.
import { createApp, type Component } from "vue";
import { isLocale, setLocale } from "@/i18n";

export interface Mounted {
  /** Whether it is still in the page. */
  stands: () => boolean;
  unmount: () => void;
}

let number = 0;

export async function speakAsThePage(): Promise<void> {
  const { lang } = document.documentElement;
  await setLocale(isLocale(lang) ? lang : "en");
}

/** Inside of an element of its own, at the end of `host`. */
export function mountInto(host: HTMLElement, component: Component): Mounted {
  const root = document.createElement("span");
  root.className = "island";
  const app = createApp(component);
  app.config.idPrefix = `island-${++number}`;
  host.append(root);
  app.mount(root);
  return {
    stands: () => root.isConnected,
    unmount: () => {
      app.unmount();
      root.remove();
    },
  };
}
