// Changes that the same person makes elsewhere: in another tab, on the other face, on another device.
import { useEventListener } from "@vueuse/core";
import { onScopeDispose, shallowRef } from "vue";
import { followFeed } from "@/api/events";
import type { ServerEvent } from "@/api/eventStream";
import { tell } from "@/components/notices";
import { useSession } from "@/stores/session";

export type Change =
  | { kind: "conversation"; id: string; change: "made" | "changed" | "deleted" | "restored"; head_id: string | null }
  | { kind: "job"; id: string; job: string; conversation_id: string | null; status: string }
  | { kind: "reset" };

type Listener = (change: Change) => void;

const DELAY_MS = 1_000; // the page itself loads first
const FAILURES = 2; // in a row; the first one may be a server that restarts
const listeners = new Set<Listener>();
/** Whether the server has answered lately, as far as this window can tell. */
export const isConnected = shallowRef(true);

/** Calls back for every change until the calling component is unmounted. */
export function onChange(listener: Listener): void {
  listeners.add(listener);
  onScopeDispose(() => listeners.delete(listener));
}

/** A hidden window holds no connection; it catches up when it is visible again. */
export function useFeed(): void {
  let position = useSession().feedPosition();
  let stop = new AbortController();

  function take(events: readonly ServerEvent[]): void {
    position = events.findLast(({ id }) => id !== null)?.id ?? position;
    // Only the last state of each conversation and each job counts.
    const changes = events.map(changeOf).filter((change) => change !== null);
    const newest = new Map(changes.map((change) => [change.kind === "reset" ? "" : `${change.kind} ${change.id}`, change]));
    for (const change of newest.values()) for (const listener of listeners) listener(change);
  }

  function connection(failures: number): void {
    isConnected.value = failures < FAILURES;
  }

  function follow(): void {
    stop.abort();
    if (document.visibilityState !== "visible") return;
    stop = new AbortController();
    followFeed({ position: () => position, isDone: () => false, take, connection }, stop.signal).catch(tell);
  }

  const delay = setTimeout(follow, DELAY_MS);
  useEventListener(document, "visibilitychange", follow);
  onScopeDispose(() => {
    clearTimeout(delay);
    stop.abort();
  });
}

function changeOf({ event, data }: ServerEvent): Change | null {
  if (event === "reset") return { kind: "reset" };
  if (event !== "conversation" && event !== "job") return null;
  const { kind, ...rest } = JSON.parse(data) as { kind?: string };
  return { ...rest, ...(event === "job" ? { job: kind } : {}), kind: event } as Change;
}
