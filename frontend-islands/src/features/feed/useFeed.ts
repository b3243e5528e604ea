// What the same person does elsewhere, in another tab, on the other face or on another device, shows here at once.
import { onScopeDispose, shallowRef } from "vue";
import { followFeed } from "@/api/events";
import { tell } from "@/components/notices";

export type Change =
  | { kind: "conversation"; id: string; change: "made" | "changed" | "deleted" | "restored"; head_id: string | null }
  | { kind: "job"; id: string; job: string; conversation_id: string | null; status: string }
  | { kind: "begun" } // from now on changes are told: what was loaded before may be old already
  | { kind: "reset" };

type Hear = (change: Change) => void;

const hearers = new Set<Hear>();
/** Whether the server has answered lately, as far as this window can tell. */
export const isConnected = shallowRef(true);
const CALM_MS = 1_000; // what the page shows comes first
const LOST = 2; // tries in a row; the first one may be a server that starts anew

/** Calls back for every change while the calling component is there. */
export function onChange(hear: Hear): void {
  hearers.add(hear);
  onScopeDispose(() => hearers.delete(hear));
}

/** Follow, while somebody looks: a window that nobody sees holds no connection, and catches up when it is seen again. */
export function useFeed(): void {
  let position: number | null = null;
  let leave = new AbortController();

  function take(events: readonly { id: number | null; event: string; data: string }[]): void {
    for (const { id, event, data } of events) {
      const change = position === null && !event ? ({ kind: "begun" } as const) : changeOf(event, data);
      position = id ?? position;
      if (change) for (const hear of hearers) hear(change);
    }
  }

  function connection(failures: number): void {
    isConnected.value = failures < LOST;
  }

  function look(): void {
    leave.abort();
    if (document.visibilityState !== "visible") return;
    leave = new AbortController();
    const follower = { position: () => position, isDone: () => false, take, connection };
    followFeed(follower, leave.signal).catch(tell);
  }

  const calm = setTimeout(look, CALM_MS);
  document.addEventListener("visibilitychange", look);
  onScopeDispose(() => {
    clearTimeout(calm);
    leave.abort();
    document.removeEventListener("visibilitychange", look);
  });
}

function changeOf(event: string, data: string): Change | null {
  if (event === "reset") return { kind: "reset" };
  if (event !== "conversation" && event !== "job") return null;
  const { kind, ...rest } = JSON.parse(data) as { kind?: string };
  return { ...rest, ...(event === "job" ? { job: kind } : {}), kind: event } as Change;
}
