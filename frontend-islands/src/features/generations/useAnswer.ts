// Follow the answer that a job writes: the state is rebuilt from the server's events and never guessed.
import { onScopeDispose, shallowRef, toValue, watch, type MaybeRefOrGetter, type ShallowRef } from "vue";
import { followJob } from "@/api/events";
import type { ServerEvent } from "@/api/eventStream";
import { tell } from "@/components/notices";
import { applyEvents, isEnded, UNSEEN, type Answer } from "./applyEvent";

const EVERY_MS = 60;

interface Followed {
  answer: ShallowRef<Answer>;
  /** How often in a row the connection failed; 0 = it stands. */
  failures: ShallowRef<number>;
}

export function useAnswer(jobId: MaybeRefOrGetter<string | null>, ended: (answer: Answer) => void): Followed {
  const answer = shallowRef<Answer>(UNSEEN);
  const failures = shallowRef(0);
  let leave = new AbortController();
  // What has come, and since when what is shown is like it: a server may write faster than anybody reads.
  let known = UNSEEN;
  let shownAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function show(): void {
    clearTimeout(timer);
    timer = undefined;
    shownAt = performance.now();
    answer.value = known;
  }

  function take(events: readonly ServerEvent[]): void {
    known = applyEvents(known, events);
    const rest = EVERY_MS - (performance.now() - shownAt);
    if (isEnded(known) || rest <= 0) show();
    else timer ??= setTimeout(show, rest);
  }

  watch(
    () => toValue(jobId),
    (id) => {
      leave.abort();
      leave = new AbortController();
      known = UNSEEN;
      show();
      if (id) void follow(id, leave.signal);
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    leave.abort();
    clearTimeout(timer);
  });

  async function follow(id: string, signal: AbortSignal): Promise<void> {
    try {
      await followJob(
        id,
        {
          position: () => known.position,
          isDone: () => isEnded(known),
          take,
          connection: (count) => {
            failures.value = count;
          },
        },
        signal,
      );
      if (isEnded(known)) ended(known);
    } catch (error) {
      if (!signal.aborted) tell(error);
    }
  }

  return { answer, failures };
}
