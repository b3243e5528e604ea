// Keys that work everywhere in the application: `/`, `?`, `mod+k` (Ctrl, or ⌘ on a Mac), `alt+ArrowUp`.
import { useEventListener } from "@vueuse/core";

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));

/** `act` may say `false`: the key was not for it after all. */
export function useShortcut(keys: string, act: (event: KeyboardEvent) => unknown): void {
  const wanted = keys.split("+");
  const key = wanted.at(-1)!;
  const mod = wanted.includes("mod");
  const alt = wanted.includes("alt");

  function listen(event: KeyboardEvent): void {
    if (event.isComposing || event.keyCode === 229) return; // an input method is choosing a word
    if (event.key !== key || event.altKey !== alt || (event.ctrlKey || event.metaKey) !== mod) return;
    // A plain key is a letter where somebody is typing.
    if (!mod && !alt && key.length === 1 && isTyping(event.target)) return;
    if (act(event) !== false) event.preventDefault();
  }

  useEventListener(document, "keydown", listen);
}
