// Where one is signed in; this device first.
import { computed, ref, shallowRef } from "vue";
import { get, remove } from "@/api/client";
import type { Device, Page } from "@/api/types";
import { tell } from "@/components/notices";

const PATH = "/auth/sessions";

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useDevices() {
  const found = shallowRef<readonly Device[]>([]);
  const state = ref<"loading" | "ready" | "failed">("loading");
  const devices = computed(() => [...found.value].sort((one, other) => Number(other.current) - Number(one.current)));
  const others = computed(() => found.value.filter(({ current }) => !current));

  async function load(): Promise<void> {
    try {
      found.value = (await get<Page<Device>>(PATH)).items;
      state.value = "ready";
    } catch (error) {
      state.value = "failed";
      tell(error, () => void load());
    }
  }

  async function signOut(id: string): Promise<void> {
    await remove(`${PATH}/${id}`);
    found.value = found.value.filter((device) => device.id !== id);
  }

  /** All but this one, also those that signed in since the list was read. One that fails stays in the list. */
  async function signOutOthers(): Promise<void> {
    await load();
    const results = await Promise.allSettled(others.value.map(({ id }) => signOut(id)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }

  void load();
  return { devices, others, state, load, signOut, signOutOthers };
}
