// What happened or failed, told once under the bar, with the one thing that can be done about it: it covers neither the
// composer nor the buttons of the bar, and is read out when it comes.
import { ElMessage } from "element-plus/es/components/message/index";
import "element-plus/es/components/message/style/css";
import { h } from "vue";
import { ApiError } from "@/api/problem";
import { t } from "@/i18n";
import NoticeText from "./NoticeText.vue";

export interface Action {
  label: string;
  act: () => void;
}

interface Notice {
  text: string;
  requestId?: string;
  isError?: boolean;
  action?: Action | null;
  /** Until somebody has decided. */
  stays?: boolean;
}

const SECONDS = { plain: 5, withAction: 8 };
const MOST = 3;
const BELOW_BAR = 60;

let shown: { text: string; close: () => void }[] = [];

/** A passing failure can be tried again. */
export function tell(error: unknown, retry: (() => void) | null = null): void {
  const known = error instanceof ApiError;
  if (known && error.status === 401) return; // the sign-in page says it
  const text = t(error instanceof Error ? error.message : String(error));
  const action = known && error.isPassing && retry ? { label: t("Try again"), act: retry } : null;
  show({ text, requestId: known ? error.requestId : "", isError: true, action });
}

export function notify(text: string, action: Action | null = null): void {
  show({ text, action });
}

/** What waits for a decision. */
export function offer(text: string, action: Action): void {
  show({ text, action, stays: true });
}

function show({ text, requestId = "", isError = false, action = null, stays = false }: Notice): void {
  const latest = shown.filter((other) => other.text !== text).slice(1 - MOST);
  for (const other of shown.filter((other) => !latest.includes(other))) other.close();
  const close = (): void => message.close();
  const act = (): void => {
    close();
    action?.act();
  };
  const message = ElMessage({
    message: () => h(NoticeText, { text, requestId, action, onAct: act, onClose: close }),
    type: isError ? "error" : "info",
    customClass: isError ? "notice error" : "notice",
    duration: action ? 0 : 1000 * SECONDS.plain,
    offset: BELOW_BAR,
    onClose: () => (shown = shown.filter((other) => other.close !== close)),
  });
  shown = [...latest, { text, close }];
  // Not Element Plus's time, which stands still under the pointer: what is offered may be over by then.
  if (action && !stays) setTimeout(close, 1000 * SECONDS.withAction);
}
