// Look again and again while there is a reason to and somebody looks.
import { useEventListener } from "@vueuse/core";
import { onScopeDispose, watch } from "vue";

/** One call at a time, `everyMs` after the end of the last. At once when the page is seen again. */
export function usePolling(refresh: () => Promise<unknown>, isWanted: () => boolean, everyMs: number): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  let isOver = false;

  function plan(after = everyMs): void {
    clearTimeout(timer);
    if (isOver || isRunning || !isWanted() || document.visibilityState !== "visible") return;
    timer = setTimeout(() => void run(), after);
  }

  async function run(): Promise<void> {
    isRunning = true;
    try {
      await refresh();
    } finally {
      isRunning = false;
      plan();
    }
  }

  watch(isWanted, () => plan(), { immediate: true });
  useEventListener(document, "visibilitychange", () => plan(0));
  onScopeDispose(() => {
    isOver = true;
    clearTimeout(timer);
  });
}
