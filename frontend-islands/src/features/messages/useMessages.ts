// The branch in view of one conversation: its newest messages, and older ones on the way up.
import { computed, shallowRef, toValue, watch, type MaybeRefOrGetter } from "vue";
import { get, patch, post, remove } from "@/api/client";
import { keyed, newKey } from "@/api/idempotency";
import { ApiError } from "@/api/problem";
import type { Accepted, Message } from "@/api/types";
import { tell } from "@/components/notices";
import type { Change } from "@/features/feed/useFeed";
import { editOf, forgetDraft } from "./useDraft";

interface Window {
  items: Message[];
  prev_cursor: string | null;
}

/** A message that was sent and is not yet accepted: shown at once, reconciled by its key. */
export interface Pending {
  key: string;
  content: string;
}

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useMessages(conversationId: MaybeRefOrGetter<string>) {
  const messages = shallowRef<readonly Message[]>([]);
  const earlier = shallowRef<string | null>(null);
  const pending = shallowRef<readonly Pending[]>([]);
  const state = shallowRef<"loading" | "ready" | "failed">("loading");
  let visit = 0;
  /** What was sent or ended since the list was asked for is not in it. */
  let changes = 0;

  const path = (): string => `/conversations/${toValue(conversationId)}/messages`;

  watch(() => toValue(conversationId), load, { immediate: true });

  async function load(): Promise<void> {
    const mine = ++visit;
    const before = changes;
    if (state.value !== "ready") state.value = "loading";
    try {
      const found = await get<Window>(path(), { format: "html", limit: 50 });
      if (mine !== visit) return;
      if (before !== changes) return await load();
      // What was read further up stays there.
      const known = messages.value.findIndex(({ id }) => id === found.items[0]?.id);
      messages.value = [...messages.value.slice(0, Math.max(0, known)), ...found.items];
      if (known <= 0) earlier.value = found.prev_cursor;
      state.value = "ready";
    } catch (error) {
      if (mine !== visit) return;
      state.value = "failed";
      tell(error, () => void load());
    }
  }

  async function loadEarlier(): Promise<void> {
    const before = earlier.value;
    if (before === null) return;
    earlier.value = null; // one at a time
    const mine = visit;
    try {
      const found = await get<Window>(path(), { format: "html", limit: 100, before });
      if (mine !== visit) return;
      messages.value = [...found.items, ...messages.value];
      earlier.value = found.prev_cursor;
    } catch (error) {
      if (mine !== visit) return;
      earlier.value = before;
      tell(error, () => void loadEarlier());
    }
  }

  async function loadAll(): Promise<void> {
    for (let left = earlier.value; left !== null; left = earlier.value) {
      await loadEarlier();
      if (earlier.value === left) return; // it failed, and said so
    }
  }

  /** Older messages, until that one is among them or there are no more. */
  async function loadUpTo(id: string): Promise<void> {
    for (let left = earlier.value; left !== null && !messages.value.some((message) => message.id === id); ) {
      await loadEarlier();
      if (earlier.value === left) return; // it failed, and said so
      left = earlier.value;
    }
  }

  async function send(content: string, fields: object = {}): Promise<void> {
    const key = newKey();
    // The id of a message that is still on its way is not known yet.
    const seen = pending.value.length ? undefined : messages.value.at(-1)?.id;
    pending.value = [...pending.value, { key, content }];
    try {
      accept(await post<Accepted>(path(), { content, ...fields, seen_head_id: seen }, keyed(key)));
    } catch (error) {
      if (error instanceof ApiError && error.code === "newer_messages") void load();
      throw error;
    } finally {
      pending.value = pending.value.filter((sent) => sent.key !== key);
    }
  }

  async function regenerate(id: string, fields: object = {}): Promise<void> {
    await post<Accepted>(`/messages/${id}/regenerate`, fields, keyed());
    await load();
  }

  async function edit(id: string, content: string): Promise<void> {
    await post<Accepted>(`/messages/${id}/edit`, { content }, keyed());
    forgetDraft(editOf(id));
    await load();
  }

  async function goOn(id: string): Promise<void> {
    const { assistant_message } = await post<Accepted>(`/messages/${id}/continue`, undefined, keyed());
    replace({ ...messages.value.find((message) => message.id === id), ...assistant_message });
  }

  async function choose(id: string): Promise<void> {
    await patch(`/conversations/${toValue(conversationId)}`, { head_id: id });
    await load();
  }

  async function removeBranch(id: string): Promise<void> {
    await remove(`/messages/${id}`);
    await load();
  }

  /** Loads the list again if a change elsewhere is not in it: another last message, or an answer that goes on. */
  function applyChange(change: Change): void {
    if (state.value !== "ready") return;
    const isNew =
      change.kind === "conversation"
        ? change.head_id !== null && !messages.value.some(({ id }) => id === change.head_id)
        : change.kind === "reset" || (change.job === "answer" && /queued|running/.test(change.status) && !messages.value.some(({ job_id }) => job_id === change.id));
    if (isNew && !pending.value.length) void load();
  }

  /** The list may have come with them already, and the answer may have ended since: what is there is newer. */
  function accept({ user_message, assistant_message }: Accepted): void {
    changes++;
    const isNew = ({ id }: Message): boolean => !messages.value.some((message) => message.id === id);
    messages.value = [...messages.value, ...[user_message, assistant_message].filter(isNew)];
  }

  function replace(changed: Message): void {
    changes++;
    messages.value = messages.value.map((message) => (message.id === changed.id ? changed : message));
  }

  /** The answer that is being written, or the first of several that wait. */
  const running = computed(() => messages.value.find((message) => message.status === "generating") ?? null);

  return { messages, earlier, pending, state, running, load, loadEarlier, loadAll, loadUpTo, applyChange, send, regenerate, edit, goOn, choose, removeBranch, replace };
}
