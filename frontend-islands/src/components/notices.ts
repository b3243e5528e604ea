// What happened or failed, told once at the edge of the window, with the one thing that can be done about it.
import { shallowRef } from "vue";
import { ApiError } from "@/api/problem";
import { t } from "@/i18n";

export interface Action {
  label: string;
  act: () => void;
}

export interface Notice {
  key: number;
  text: string;
  requestId: string;
  isError: boolean;
  action: Action | null;
  /** Until somebody has decided. */
  stays?: boolean;
}

const SECONDS = { plain: 8, withAction: 20 };

export const notices = shallowRef<readonly Notice[]>([]);
let last = 0;

/** A passing failure can be tried again. */
export function tell(error: unknown, retry: (() => void) | null = null): void {
  const known = error instanceof ApiError;
  if (known && error.status === 401) return; // the sign-in page says it
  const text = t(error instanceof Error ? error.message : String(error));
  const action = known && error.isPassing && retry ? { label: t("Try again"), act: retry } : null;
  add({ text, requestId: known ? error.requestId : "", isError: true, action });
}

export function notify(text: string, action: Action | null = null): void {
  add({ text, requestId: "", isError: false, action });
}

/** What waits for a decision. */
export function offer(text: string, action: Action): void {
  add({ text, requestId: "", isError: false, action, stays: true });
}

function add(made: Omit<Notice, "key">): void {
  const notice = { ...made, key: ++last };
  notices.value = [...notices.value.filter((other) => other.text !== made.text), notice].slice(-3);
  if (!made.stays) setTimeout(() => dismiss(notice.key), 1000 * (made.isError && made.action ? SECONDS.withAction : SECONDS.plain));
}

export function dismiss(key: number): void {
  notices.value = notices.value.filter((notice) => notice.key !== key);
}
