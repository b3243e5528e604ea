// Each model server with its models, for administrators: looked at all the while, dropped, unloaded.
import { computed, ref, shallowRef } from "vue";
import { get, post, remove } from "@/api/client";
import type { ChatModel, ModelList } from "@/api/types";
import { tell } from "@/components/notices";
import { usePolling } from "@/composables/usePolling";
import { useModels } from "./useModels";

export const KEEPER = "ollama"; // the one that models can be fetched to
const EVERY_MS = 3_000;
const CACHED_MS = 12_000; // the server may still give an older list

export interface ModelServer {
  provider: string;
  problem: ModelList["problems"][number] | undefined;
  models: ChatModel[];
}

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useModelServers() {
  const { list } = useModels();
  const state = ref<"loading" | "ready" | "failed">("loading");
  /** Told to the server just now: what it will say soon. Null = gone. */
  const changed = shallowRef<ReadonlyMap<string, Partial<ChatModel> | null>>(new Map());

  const servers = computed<ModelServer[]>(() => {
    const names = new Set([...list.value.items, ...list.value.problems].map(({ provider }) => provider));
    return [...names].map((provider) => ({
      provider,
      problem: list.value.problems.find((problem) => problem.provider === provider),
      models: list.value.items
        .filter((model) => model.provider === provider && changed.value.get(model.id) !== null)
        .map((model) => ({ ...model, ...changed.value.get(model.id) })),
    }));
  });

  let isTold = false;

  /** `isOwn`: nobody asked, so that a failure is told once only. */
  async function load(isOwn = false): Promise<void> {
    try {
      list.value = await get<ModelList>("/models");
      [state.value, isTold] = ["ready", false];
    } catch (error) {
      if (state.value !== "ready") state.value = "failed";
      if (!isOwn || !isTold) tell(error, () => void load());
      isTold = true;
    }
  }

  async function removeModel(id: string): Promise<void> {
    await remove("/models", { id });
    foresee(id, null);
  }

  async function unload(id: string): Promise<void> {
    await post("/models/unload", { id });
    foresee(id, { loaded: false });
  }

  function foresee(id: string, change: Partial<ChatModel> | null): void {
    changed.value = new Map([...changed.value, [id, change]]);
    setTimeout(() => {
      if (changed.value.get(id) === change) forget(id);
    }, CACHED_MS);
  }

  /** It is there again, whatever was done to it before. */
  function forget(id: string): void {
    changed.value = new Map([...changed.value].filter(([other]) => other !== id));
  }

  void load();
  usePolling(() => load(true), () => state.value === "ready", EVERY_MS);
  return { servers, state, load: () => load(), removeModel, unload, forget };
}
