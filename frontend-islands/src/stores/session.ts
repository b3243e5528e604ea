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
  /** The server has ended the session while somebody was at work: everything waits for their password. */
  const interrupted = ref(false);
  let goOn: ((token: string | null) => void) | null = null;
  let token: string | null = null;
  const others = new BroadcastChannel(CHANNEL);

  useAccess({ token: () => token, renew, confirm: askForPassword });

  async function renew(): Promise<string | null> {
    try {
      token = (await post<Token>("/auth/refresh")).access_token;
    } catch (error) {
      if (!(error instanceof ApiError) || error.isPassing) throw error;
      if (user.value) return signedInAgain();
      forget();
    }
    return token;
  }

  /** The requests that found the session ended go on with this token, so that nothing typed is lost; null: they fail. */
  function signedInAgain(): Promise<string | null> {
    token = null;
    interrupted.value = true;
    return new Promise((resolve) => (goOn = resolve));
  }

  /** What is on the screen belongs to whoever was signed in. */
  function welcome(found: User): User {
    if (interrupted.value && user.value?.id !== found.id) location.assign(import.meta.env.BASE_URL);
    else settle(found);
    return found;
  }

  function settle(found: User | null): void {
    user.value = found;
    ended.value = !found;
    interrupted.value = false;
    goOn?.(token);
    goOn = null;
  }

  /** Whoever the cookie says; null when nobody is signed in. */
  async function resume(): Promise<User | null> {
    if (user.value) return user.value;
    if (!(await renew())) return null;
    return welcome(await get<User>("/auth/me"));
  }

  async function signIn(username: string, password: string): Promise<User> {
    const form = new URLSearchParams({ username, password });
    token = (await post<Token>("/auth/login", form)).access_token;
    const found = welcome(await get<User>("/auth/me"));
    others.postMessage("signed-in");
    return found;
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
    settle(null);
  }

  async function signedInElsewhere(): Promise<void> {
    token = (await post<Token>("/auth/refresh")).access_token;
    welcome(await get<User>("/auth/me"));
  }

  others.addEventListener("message", ({ data }) => {
    if (data === "signed-out") forget();
    if (data === "signed-in" && interrupted.value) void signedInElsewhere();
  });
  // On the pages, too.
  whenLeft((userId) => {
    if (userId === user.value?.id) forget();
  });

  return { user, ended, interrupted, resume, signIn, signOut, left, forget };
});
