// A list that comes page by page: forward by the server's cursors, back by those that were used.
import { computed, ref, shallowRef } from "vue";
import type { Page } from "@/api/types";
import { tell } from "@/components/notices";

type Way = readonly (string | null)[];
const FIRST: Way = [null];

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function usePages<Item>(fetchPage: (cursor: string | null) => Promise<Page<Item>>) {
  const items = shallowRef<readonly Item[]>([]);
  const state = ref<"loading" | "ready" | "failed">("loading");
  const way = shallowRef<Way>(FIRST);
  const following = shallowRef<string | null>(null);
  let visit = 0;
  let isTold = false;

  /** The last one asked for is the one that is shown. `isOwn`: nobody asked, so that a failure is told once only. */
  async function show(wanted: Way, isOwn = false): Promise<void> {
    const mine = ++visit;
    try {
      const page = await fetchPage(wanted.at(-1) ?? null);
      if (mine !== visit) return;
      if (!page.items.length && wanted.length > 1) return await show(wanted.slice(0, -1), isOwn); // it has emptied meanwhile
      [items.value, following.value, way.value, state.value] = [page.items, page.next_cursor, wanted, "ready"];
      isTold = false;
    } catch (error) {
      if (mine !== visit) return;
      if (state.value !== "ready") state.value = "failed";
      if (!isOwn || !isTold) tell(error, () => void show(wanted));
      isTold = true;
    }
  }

  return {
    items,
    state,
    number: computed(() => way.value.length),
    isFirst: computed(() => way.value.length === 1),
    hasNext: computed(() => following.value !== null),
    first: () => show(FIRST),
    again: () => show(way.value),
    refresh: () => show(way.value, true),
    next: () => (following.value === null ? Promise.resolve() : show([...way.value, following.value])),
    previous: () => show(way.value.length > 1 ? way.value.slice(0, -1) : FIRST),
  };
}
