// Who is signed in. The access token lives in memory alone; the session cookie, which no script can read, renews it.
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { get, post, useAccess } from "@/api/client";
import { finishDeletions } from "@/features/conversations/useConversations";
import { askForPassword } from "@/features/session/confirmation";
import { ApiError } from "@/api/problem";
import type { Token, User } from "@/api/types";
import { forgetDrafts, whenLeft } from "@pages/storage.js";

const CHANNEL = "teahouse-session";

export const useSession = defineStore("session", () => {
  const user = shallowRef<User | null>(null);
  const ended = ref(false);
  let token: string | null = null;
  const others = new BroadcastChannel(CHANNEL);

  useAccess({ token: () => token, renew, confirm: askForPassword });

  async function renew(): Promise<string | null> {
    try {
      token = (await post<Token>("/auth/refresh")).access_token;
    } catch (error) {
      if (!(error instanceof ApiError) || error.isPassing) throw error;
      forget();
    }
    return token;
  }

  /** Whoever the cookie says; null when nobody is signed in. */
  async function resume(): Promise<User | null> {
    if (user.value) return user.value;
    if (!(await renew())) return null;
    user.value = await get<User>("/auth/me");
    ended.value = false;
    return user.value;
  }

  async function signIn(username: string, password: string): Promise<User> {
    const form = new URLSearchParams({ username, password });
    token = (await post<Token>("/auth/login", form)).access_token;
    user.value = await get<User>("/auth/me");
    ended.value = false;
    others.postMessage("signed-in");
    return user.value;
  }

  async function signOut(): Promise<void> {
    await finishDeletions();
    await post("/auth/logout");
    left();
  }

  /** The session has ended on the server, in every tab. */
  function left(): void {
    forget();
    forgetDrafts();
    others.postMessage("signed-out");
  }

  /** Nobody is signed in here any more; pages that are open learn it by `ended`. */
  function forget(): void {
    token = null;
    user.value = null;
    ended.value = true;
  }

  others.addEventListener("message", ({ data }) => {
    if (data === "signed-out") forget();
  });
  // On the pages, too.
  whenLeft((userId) => {
    if (userId === user.value?.id) forget();
  });

  return { user, ended, resume, signIn, signOut, left, forget };
});
