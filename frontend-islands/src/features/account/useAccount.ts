// One's own account: what the server keeps of it, changed there first.
import { get, patch, post, remove } from "@/api/client";
import type { Conversation, Page, User } from "@/api/types";
import type { components } from "@/api/schema";
import { useSession } from "@/stores/session";

const MOST = 500;

type Changes = components["schemas"]["MeUpdate"];

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useAccount() {
  const session = useSession();

  async function change(changes: Changes): Promise<void> {
    session.user = await patch<User>("/auth/me", changes);
  }

  async function changePassword(current_password: string, new_password: string): Promise<void> {
    await post("/auth/password", { current_password, new_password });
  }

  /** All of them, the archived ones included. */
  async function countConversations(): Promise<number> {
    let count = 0;
    for (const archived of [false, true]) {
      let cursor: string | null = null;
      do {
        const page: Page<Conversation> = await get("/conversations", { archived, limit: MOST, cursor });
        count += page.items.length;
        cursor = page.next_cursor;
      } while (cursor);
    }
    return count;
  }

  /** With everything that is in it; who did it is nobody afterwards. */
  async function removeAccount(): Promise<void> {
    await remove("/auth/me");
    session.left();
  }

  return { change, changePassword, countConversations, removeAccount };
}
