// Downloads of models: each is a job, followed to its end by asking again and again how far it is.
import { onScopeDispose, shallowRef } from "vue";
import { get, post } from "@/api/client";
import { keyed } from "@/api/idempotency";
import { ApiError } from "@/api/problem";
import type { Job, Page, PullAccepted } from "@/api/types";
import { tell } from "@/components/notices";
import { hasEnded } from "@/features/jobs/states";

const WAIT_SECONDS = 1; // the server answers earlier when the job ends
const HIDDEN_WAIT_SECONDS = 20;
const MAX_PAUSE_MS = 10_000;
const RECENT = 5;

export interface Pull {
  /** What was asked for; empty when another window asked for it, and the job does not tell until it has it. */
  name: string;
  job: Job;
  isStopping: boolean;
}

// They go on, and are shown again, when the page is left and returned to.
const pulls = shallowRef<readonly Pull[]>([]);

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useModelPull(arrived: (modelId: string) => void = () => undefined) {
  const leave = new AbortController();
  const followed = new Set<string>();
  onScopeDispose(() => leave.abort());

  async function start(name: string): Promise<void> {
    const { job } = await post<PullAccepted>("/models/pull", { name }, keyed());
    put(job, { name });
    void follow(job.id);
  }

  /** Those of one's own that go on, wherever they were begun. */
  async function resume(): Promise<void> {
    try {
      const { items } = await get<Page<Job>>("/jobs", { kind: "model_pull", limit: RECENT });
      items.filter((job) => !hasEnded(job)).reverse().forEach((job) => put(job));
    } catch (error) {
      tell(error, () => void resume());
    }
    pulls.value.filter(({ job }) => !hasEnded(job)).forEach(({ job }) => void follow(job.id));
  }

  async function follow(id: string): Promise<void> {
    if (followed.has(id)) return;
    followed.add(id);
    let failures = 0;
    while (!leave.signal.aborted) {
      const wait = document.visibilityState === "visible" ? WAIT_SECONDS : HIDDEN_WAIT_SECONDS;
      try {
        const job = await get<Job>(`/jobs/${id}`, { wait }, { signal: leave.signal });
        failures = 0;
        put(job);
        if (!hasEnded(job)) continue;
        if (job.status === "succeeded") arrived(String(job.result?.["model"] ?? ""));
        return;
      } catch (error) {
        if (leave.signal.aborted) return;
        if (!(error instanceof ApiError) || !error.isPassing) return lose(id, error);
        await pause(Math.min(MAX_PAUSE_MS, 500 * 2 ** failures++));
      }
    }
  }

  /** It is nobody's any more whom this window knows. */
  function lose(id: string, error: unknown): void {
    dismiss(id);
    if (!(error instanceof ApiError && error.status === 404)) tell(error);
  }

  async function cancel(id: string): Promise<void> {
    put(await post<Job>(`/jobs/${id}/cancel`), { isStopping: true });
  }

  async function again({ name, job }: Pull): Promise<void> {
    await start(name);
    dismiss(job.id);
  }

  function dismiss(id: string): void {
    pulls.value = pulls.value.filter(({ job }) => job.id !== id);
  }

  function put(job: Job, known: Partial<Pull> = {}): void {
    const old = pulls.value.find((pull) => pull.job.id === job.id);
    const pull = { name: "", isStopping: false, ...old, ...known, job };
    pulls.value = old ? pulls.value.map((other) => (other === old ? pull : other)) : [pull, ...pulls.value];
  }

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      leave.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });

  return { pulls, start, resume, cancel, again, dismiss };
}
