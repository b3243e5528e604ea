// The time, for what is counted before a reader's eyes.
import { onScopeDispose, readonly, ref, type Ref } from "vue";

/** Milliseconds since 1970, every second. */
export function useSecondClock(): Readonly<Ref<number>> {
  const now = ref(Date.now());
  const clock = setInterval(() => (now.value = Date.now()), 1000);
  onScopeDispose(() => clearInterval(clock));
  return readonly(now);
}
