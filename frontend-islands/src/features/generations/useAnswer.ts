// Follow the answer that a job writes: the state is rebuilt from the server's events and never guessed.
import { onScopeDispose, shallowRef, toValue, watch, type MaybeRefOrGetter, type ShallowRef } from "vue";
import { followJob } from "@/api/events";
import { tell } from "@/components/notices";
import { applyEvents, isEnded, UNSEEN, type Answer } from "./applyEvent";

interface Followed {
  answer: ShallowRef<Answer>;
  /** How often in a row the connection failed; 0 = it stands. */
  failures: ShallowRef<number>;
}

export function useAnswer(jobId: MaybeRefOrGetter<string | null>, ended: (answer: Answer) => void): Followed {
  const answer = shallowRef<Answer>(UNSEEN);
  const failures = shallowRef(0);
  let leave = new AbortController();

  watch(
    () => toValue(jobId),
    (id) => {
      leave.abort();
      leave = new AbortController();
      answer.value = UNSEEN;
      if (id) void follow(id, leave.signal);
    },
    { immediate: true },
  );
  onScopeDispose(() => leave.abort());

  async function follow(id: string, signal: AbortSignal): Promise<void> {
    try {
      await followJob(
        id,
        {
          position: () => answer.value.position,
          isDone: () => isEnded(answer.value),
          take: (events) => {
            answer.value = applyEvents(answer.value, events);
          },
          connection: (count) => {
            failures.value = count;
          },
        },
        signal,
      );
      if (isEnded(answer.value)) ended(answer.value);
    } catch (error) {
      if (!signal.aborted) tell(error);
    }
  }

  return { answer, failures };
}
