// Who is signed in. The access token lives in memory alone; the session cookie, which no script can read, renews it.
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { get, post, useAccess } from "@/api/client";
import { finishDeletions } from "@/features/conversations/useConversations";
import { askForPassword } from "@/features/session/confirmation";
import { ApiError } from "@/api/problem";
import type { News, Token, User } from "@/api/types";
import { forgetDrafts, whenLeft } from "@pages/storage.js";

const CHANNEL = "teahouse-session";

export const useSession = defineStore("session", () => {
  const user = shallowRef<User | null>(null);
  const ended = ref(false);
  /** The server has ended the session of somebody who is at work: requests wait until they sign in again. */
  const isExpired = ref(false);
  let resumeRequests: ((token: string | null) => void) | null = null;
  /** Where the feed stood before this window loaded anything else. */
  let feedPosition = 0;
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

  /** The requests that were refused go on with this token, so that nothing typed is lost; null: they fail. */
  function signedInAgain(): Promise<string | null> {
    token = null;
    isExpired.value = true;
    return new Promise((resolve) => (resumeRequests = resolve));
  }

  /** Loads who is signed in. Another person than before gets a fresh application: this one shows somebody else's data. */
  async function enter(): Promise<User> {
    // Without a position the feed begins with all that is kept of it: more than is needed, but nothing is missed.
    const position = get<News>("/events", { wait: 0 }).then(({ last_event_id }) => last_event_id, () => 0);
    const [found, last] = await Promise.all([get<User>("/auth/me"), position]);
    if (isExpired.value && user.value?.id !== found.id) {
      location.assign(import.meta.env.BASE_URL);
      return found;
    }
    if (!user.value) feedPosition = last;
    setUser(found);
    return found;
  }

  function setUser(found: User | null): void {
    user.value = found;
    ended.value = !found;
    isExpired.value = false;
    resumeRequests?.(token);
    resumeRequests = null;
  }

  /** Whoever the cookie says; null when nobody is signed in. */
  async function resume(): Promise<User | null> {
    if (user.value) return user.value;
    if (!(await renew())) return null;
    return enter();
  }

  async function signIn(username: string, password: string): Promise<User> {
    const form = new URLSearchParams({ username, password });
    token = (await post<Token>("/auth/login", form)).access_token;
    const found = await enter();
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
    setUser(null);
  }

  async function signedInElsewhere(): Promise<void> {
    token = (await post<Token>("/auth/refresh")).access_token;
    await enter();
  }

  others.addEventListener("message", ({ data }) => {
    if (data === "signed-out") forget();
    if (data === "signed-in" && isExpired.value) void signedInElsewhere();
  });
  // On the pages, too.
  whenLeft((userId) => {
    if (userId === user.value?.id) forget();
  });

  return { user, ended, isExpired, feedPosition: () => feedPosition, resume, signIn, signOut, left, forget };
});
