import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope, nextTick, ref, type EffectScope } from "vue";
import { usePolling } from "./usePolling";

let scope: EffectScope;
const isWanted = ref(true);
let visibility: DocumentVisibilityState = "visible";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visibility);
  scope = effectScope();
  isWanted.value = true;
  visibility = "visible";
});
afterEach(() => {
  scope.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function polling(refresh: () => Promise<unknown> = () => Promise.resolve()): ReturnType<typeof vi.fn> {
  const called = vi.fn(refresh);
  scope.run(() => usePolling(called, () => isWanted.value, 2_000));
  return called;
}

function show(state: DocumentVisibilityState): void {
  visibility = state;
  document.dispatchEvent(new Event("visibilitychange"));
}

test("every two seconds while it is wanted, and again when it is wanted again", async () => {
  const refresh = polling();
  await vi.advanceTimersByTimeAsync(1_999);
  expect(refresh).toHaveBeenCalledTimes(0);
  await vi.advanceTimersByTimeAsync(4_001);
  expect(refresh).toHaveBeenCalledTimes(3);
  isWanted.value = false;
  await nextTick();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(refresh).toHaveBeenCalledTimes(3);
  isWanted.value = true;
  await nextTick();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(refresh).toHaveBeenCalledTimes(4);
});

test("not while the page is hidden; at once when it is seen again", async () => {
  const refresh = polling();
  show("hidden");
  await vi.advanceTimersByTimeAsync(20_000);
  expect(refresh).toHaveBeenCalledTimes(0);
  show("visible");
  await vi.advanceTimersByTimeAsync(0);
  expect(refresh).toHaveBeenCalledTimes(1);
});

test("the next call waits for the end of the last, whatever happens meanwhile", async () => {
  let finish = (): void => undefined;
  const refresh = polling(() => new Promise<void>((resolve) => (finish = resolve)));
  await vi.advanceTimersByTimeAsync(2_000);
  show("hidden");
  show("visible");
  await vi.advanceTimersByTimeAsync(20_000);
  expect(refresh).toHaveBeenCalledTimes(1);
  finish();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(refresh).toHaveBeenCalledTimes(2);
});

test("over with the page that asked for it, also in the middle of a call", async () => {
  let finish = (): void => undefined;
  const refresh = polling(() => new Promise<void>((resolve) => (finish = resolve)));
  await vi.advanceTimersByTimeAsync(2_000);
  scope.stop();
  finish();
  show("visible");
  await vi.advanceTimersByTimeAsync(20_000);
  expect(refresh).toHaveBeenCalledTimes(1);
});
