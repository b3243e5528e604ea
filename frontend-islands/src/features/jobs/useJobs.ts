// Everybody's jobs, newest first, for administrators; looked at again while one of them goes on.
import { computed, reactive, shallowRef, watch } from "vue";
import { get, post } from "@/api/client";
import type { Job, Page } from "@/api/types";
import { usePages } from "@/composables/usePages";
import { usePolling } from "@/composables/usePolling";
import { hasEnded } from "./states";

const LIMIT = 50;
const EVERY_MS = 2_000;

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useJobs(status: Job["status"] | "" = "") {
  const filters = reactive<{ status: Job["status"] | ""; kind: Job["kind"] | "" }>({ status, kind: "" });
  /** The server lets nobody stop another's. */
  const mine = shallowRef<ReadonlySet<string>>(new Set());
  const stopping = shallowRef<ReadonlySet<string>>(new Set());

  const pages = usePages<Job>(async (cursor) => {
    const wanted = { status: filters.status || null, kind: filters.kind || null, limit: LIMIT, cursor };
    const found = await get<Page<Job>>("/jobs", { ...wanted, all: true });
    // As many of one's own reach at least as far back.
    if (!found.items.every(hasEnded)) mine.value = new Set((await get<Page<Job>>("/jobs", wanted)).items.map(({ id }) => id));
    return found;
  });
  const isGoingOn = computed(() => !pages.items.value.every(hasEnded));

  watch(filters, pages.first, { immediate: true });
  usePolling(pages.refresh, () => isGoingOn.value, EVERY_MS);

  async function cancel(id: string): Promise<void> {
    await post<Job>(`/jobs/${id}/cancel`);
    stopping.value = new Set([...stopping.value, id]);
    await pages.again();
  }

  const canCancel = (job: Job): boolean => !hasEnded(job) && mine.value.has(job.id);
  const isStopping = (job: Job): boolean => !hasEnded(job) && stopping.value.has(job.id);

  return { ...pages, filters, cancel, canCancel, isStopping };
}
