// Everybody who has an account, oldest first, for administrators.
import { get, patch, post, remove } from "@/api/client";
import type { components } from "@/api/schema";
import type { Page, User } from "@/api/types";
import { usePages } from "@/composables/usePages";

const LIMIT = 25;

export type NewUser = components["schemas"]["UserCreate"];
export type Role = User["role"];

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useUsers() {
  const pages = usePages<User>((cursor) => get<Page<User>>("/users", { limit: LIMIT, cursor }));
  void pages.first();

  async function create(user: NewUser): Promise<void> {
    await post<User>("/users", user);
    void pages.again();
  }

  /** What is shown is what the server says, also after a refusal. */
  async function change(id: string, changes: { role?: Role; disabled?: boolean }): Promise<void> {
    try {
      const changed = await patch<User>(`/users/${id}`, changes);
      pages.items.value = pages.items.value.map((user) => (user.id === id ? changed : user));
    } catch (error) {
      pages.items.value = pages.items.value.map((user) => (user.id === id ? { ...user } : user));
      throw error;
    }
  }

  async function removeUser(id: string): Promise<void> {
    await remove(`/users/${id}`);
    await pages.again();
  }

  return { ...pages, create, change, removeUser };
}
