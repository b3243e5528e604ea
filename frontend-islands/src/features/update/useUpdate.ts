// A new build of the application: found in the background, taken when somebody says so.
import { onScopeDispose } from "vue";
import { offer } from "@/components/notices";
import { t } from "@/i18n";

const HOUR = 3_600_000;
/** What somebody waits for comes first. */
const AFTER = 2_000;

/** Once, by the application itself. Without https there are no service workers: then a visit simply loads what is there. */
export function useUpdate(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  const leave = new AbortController();
  let isWanted = false;
  let isFirst = serviceWorker.controller === null;

  function tellOf(waiting: ServiceWorker): void {
    offer(t("A new version is ready."), {
      label: t("Load it"),
      act: () => {
        isWanted = true;
        waiting.postMessage("take over");
      },
    });
  }

  async function begin(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, AFTER));
    const registration = await serviceWorker.register("/app/sw.js", { scope: "/app/", updateViaCache: "none" });
    if (registration.waiting && serviceWorker.controller) tellOf(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const found = registration.installing;
      found?.addEventListener("statechange", () => found.state === "installed" && serviceWorker.controller && tellOf(found), leave);
    }, leave);
    let asked = Date.now();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible" || Date.now() - asked < HOUR) return;
      asked = Date.now();
      registration.update().catch(() => undefined);
    }, leave);
  }

  serviceWorker.addEventListener("controllerchange", () => {
    if (isWanted) location.reload();
    // Taken in another tab: what this one has not loaded yet may be gone.
    else if (!isFirst) offerReload();
    isFirst = false;
  }, leave);
  // A part of an older build, which the server has no more.
  addEventListener("vite:preloadError", offerReload, leave);
  onScopeDispose(() => leave.abort());
  // Nothing depends on it: a browser may forbid it.
  begin().catch(() => undefined);
}

function offerReload(): void {
  offer(t("A new version is ready."), { label: t("Load it"), act: () => location.reload() });
}
