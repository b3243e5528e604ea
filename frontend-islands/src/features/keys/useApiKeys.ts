// One's own keys for programs. The secret of a new one is known here until the page is left, and nowhere afterwards.
import { ref, shallowRef } from "vue";
import { get, post, remove } from "@/api/client";
import type { ApiKey, Page } from "@/api/types";
import { tell } from "@/components/notices";
import { expiryOf, type Life } from "./expiry";

export type Scope = ApiKey["scopes"][number];
export interface NewKey {
  name: string;
  scopes: readonly Scope[];
  life: Life;
  day: string;
}

const PATH = "/auth/api-keys";

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useApiKeys() {
  const keys = shallowRef<readonly ApiKey[]>([]);
  const made = shallowRef<ApiKey | null>(null);
  const state = ref<"loading" | "ready" | "failed">("loading");

  async function load(): Promise<void> {
    try {
      keys.value = (await get<Page<ApiKey>>(PATH)).items;
      state.value = "ready";
    } catch (error) {
      state.value = "failed";
      tell(error, () => void load());
    }
  }

  async function create({ name, scopes, life, day }: NewKey): Promise<void> {
    made.value = null;
    const wanted = { name: name.trim().replace(/\s+/g, " "), scopes, expires_at: expiryOf(life, day, new Date()) };
    const { secret, ...key } = await post<ApiKey>(PATH, wanted);
    keys.value = [...keys.value, key];
    made.value = { ...key, secret };
  }

  async function revoke(id: string): Promise<void> {
    await remove(`${PATH}/${id}`);
    keys.value = keys.value.filter((key) => key.id !== id);
    if (made.value?.id === id) made.value = null;
  }

  void load();
  return { keys, made, state, load, create, revoke };
}
