// What the model servers offer; asked again when somebody looks, not more often than every few seconds.
import { shallowRef } from "vue";
import { get } from "@/api/client";
import type { ModelList } from "@/api/types";

const FRESH_MS = 5_000;
const list = shallowRef<ModelList>({ items: [], problems: [] });
const state = shallowRef<"new" | "loading" | "ready" | "failed">("new");
let asked = Number.NEGATIVE_INFINITY;

async function look(): Promise<void> {
  if (state.value === "loading" || performance.now() - asked < FRESH_MS) return;
  asked = performance.now();
  if (state.value !== "ready") state.value = "loading";
  try {
    list.value = await get<ModelList>("/models");
    state.value = "ready";
  } catch {
    state.value = "failed";
    asked = Number.NEGATIVE_INFINITY;
  }
}

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useModels() {
  void look();
  return { list, state, look };
}
