// Invitations that can still be used. The link of a new one is known here until the page is left, and nowhere afterwards.
import { ref, shallowRef } from "vue";
import { get, post, remove } from "@/api/client";
import type { Invite, NewInvite, Page } from "@/api/types";
import { tell } from "@/components/notices";

const PATH = "/invites";

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useInvites() {
  const invites = shallowRef<readonly Invite[]>([]);
  const made = shallowRef<NewInvite | null>(null);
  const state = ref<"loading" | "ready" | "failed">("loading");

  async function load(): Promise<void> {
    try {
      invites.value = (await get<Page<Invite>>(PATH)).items;
      state.value = "ready";
    } catch (error) {
      if (state.value !== "ready") state.value = "failed";
      tell(error, () => void load());
    }
  }

  async function create(label: string): Promise<void> {
    made.value = null;
    made.value = await post<NewInvite>(PATH, { label });
    await load();
  }

  async function revoke(id: string): Promise<void> {
    await remove(`${PATH}/${id}`);
    if (made.value?.id === id) made.value = null;
    await load();
  }

  /** The address that one person can make one account with. */
  const linkOf = ({ invite }: NewInvite): string => `${location.origin}/register?invite=${encodeURIComponent(invite)}`;

  void load();
  return { invites, made, state, load, create, revoke, linkOf };
}
