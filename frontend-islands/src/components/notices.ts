// What failed, told once at the edge of the window; a passing failure can be tried again.
import { shallowRef } from "vue";
import { ApiError } from "@/api/problem";

export interface Notice {
  key: number;
  text: string;
  requestId: string;
  retry: (() => void) | null;
}

export const notices = shallowRef<readonly Notice[]>([]);
let last = 0;

export function tell(error: unknown, retry: (() => void) | null = null): void {
  const known = error instanceof ApiError;
  if (known && error.status === 401) return; // the sign-in page says it
  const text = error instanceof Error ? error.message : String(error);
  const notice = { key: ++last, text, requestId: known ? error.requestId : "", retry: known && error.isPassing ? retry : null };
  notices.value = [...notices.value.filter((other) => other.text !== text), notice].slice(-3);
  setTimeout(() => dismiss(notice.key), retry ? 20_000 : 8_000);
}

export function dismiss(key: number): void {
  notices.value = notices.value.filter((notice) => notice.key !== key);
}
