// The list of conversations of this window: loaded page by page, changed at once and put right by the server.
import { computed, ref, shallowRef } from "vue";
import { get, patch, post, remove } from "@/api/client";
import type { Conversation, Job, Page } from "@/api/types";
import { tell } from "@/components/notices";
import type { Change } from "@/features/feed/useFeed";

const PAGE = 100;
const UNDO_MS = 8_000;
const TOGETHER_MS = 150;

const known = shallowRef<ReadonlyMap<string, Conversation>>(new Map());
const cursor = shallowRef<string | null>(null);
const state = ref<"new" | "loading" | "ready" | "failed">("new");
/** Conversations in which an answer is being written, or waits. */
const atWork = shallowRef<ReadonlySet<string>>(new Set());
/** The conversation whose title is to be edited. */
const renaming = ref<string | null>(null);
let refreshTimer: ReturnType<typeof setTimeout> | null = null;
/** Deleted here, and still to be told to the server. */
const leaving = shallowRef<ReadonlyMap<string, ReturnType<typeof setTimeout>>>(new Map());

// A deletion that waits for its undo must not be forgotten with the window.
addEventListener("pagehide", () => void finishDeletions());

const conversations = computed(() =>
  [...known.value.values()]
    .filter((conversation) => !conversation.archived && !leaving.value.has(conversation.id))
    .sort((one, other) => other.updated_at.localeCompare(one.updated_at) || other.id.localeCompare(one.id)),
);

async function load(): Promise<void> {
  if (state.value === "loading" || state.value === "ready") return;
  state.value = "loading";
  try {
    await take({ limit: PAGE });
    state.value = "ready";
    void loadAtWork();
  } catch (error) {
    state.value = "failed";
    tell(error, () => void load());
  }
}

async function loadMore(): Promise<void> {
  if (state.value !== "ready" || cursor.value === null) return;
  state.value = "loading";
  try {
    await take({ limit: PAGE, cursor: cursor.value });
  } catch (error) {
    tell(error, () => void loadMore());
  } finally {
    state.value = "ready";
  }
}

async function take(query: { limit: number; cursor?: string }): Promise<void> {
  const page = await get<Page<Conversation>>("/conversations", query);
  known.value = new Map([...known.value, ...page.items.map((item) => [item.id, item] as const)]);
  cursor.value = page.next_cursor;
}

/** What changed elsewhere: everything down to where this list reaches, so that what was deleted goes too. */
async function refresh(): Promise<void> {
  if (refreshTimer) clearTimeout(refreshTimer);
  refreshTimer = null;
  if (state.value !== "ready") return;
  const reach = Math.max(known.value.size, PAGE);
  try {
    const page = await get<Page<Conversation>>("/conversations", { limit: Math.min(reach, 500) });
    const fresh = page.items.map((item) => [item.id, item] as const);
    const oldest = page.items.at(-1)?.updated_at ?? "";
    const rest = page.next_cursor ? [...known.value].filter(([, item]) => item.updated_at < oldest) : [];
    known.value = new Map([...rest, ...fresh]);
    if (!rest.length) cursor.value = page.next_cursor;
  } catch {
    // The next change, or the next look, tries again.
  }
}

async function create(fields: object): Promise<Conversation> {
  const made = await post<Conversation>("/conversations", fields);
  put(made);
  return made;
}

async function update(id: string, changes: Partial<Conversation>): Promise<void> {
  const before = known.value.get(id);
  if (before) put({ ...before, ...changes });
  try {
    put(await patch<Conversation>(`/conversations/${id}`, changes));
  } catch (error) {
    if (before) put(before);
    throw error;
  }
}

async function fetchOne(id: string): Promise<Conversation> {
  const found = await get<Conversation>(`/conversations/${id}`);
  put(found);
  return found;
}

function put(conversation: Conversation): void {
  known.value = new Map([...known.value, [conversation.id, conversation]]);
}

/** Gone from sight at once, from the server when nobody has undone it for a while. */
function removeLater(ids: readonly string[]): () => void {
  leaving.value = new Map([...leaving.value, ...ids.map((id) => [id, setTimeout(() => void finish(id), UNDO_MS)] as const)]);
  return () => {
    ids.forEach((id) => clearTimeout(leaving.value.get(id)));
    leaving.value = new Map([...leaving.value].filter(([id]) => !ids.includes(id)));
  };
}

async function finish(id: string): Promise<void> {
  clearTimeout(leaving.value.get(id));
  try {
    await remove(`/conversations/${id}`);
    known.value = new Map([...known.value].filter(([other]) => other !== id));
  } catch (error) {
    tell(error);
  } finally {
    leaving.value = new Map([...leaving.value].filter(([other]) => other !== id));
  }
}

/** Nobody can undo any more. */
export async function finishDeletions(): Promise<void> {
  await Promise.all([...leaving.value.keys()].map(finish));
}

/** Changes that come in a burst cost one refresh. */
function applyChange(change: Change): void {
  if (change.kind === "job" && change.conversation_id && change.job === "answer") {
    const next = new Set(atWork.value);
    if (change.status === "queued" || change.status === "running") next.add(change.conversation_id);
    else next.delete(change.conversation_id);
    atWork.value = next;
  }
  if (change.kind === "reset") void loadAtWork();
  if (change.kind !== "job") refreshTimer ??= setTimeout(() => void refresh(), TOGETHER_MS);
}

async function loadAtWork(): Promise<void> {
  try {
    const states = await Promise.all(["queued", "running"].map((status) => get<Page<Job>>("/jobs", { status, kind: "answer", limit: 500 })));
    atWork.value = new Set(states.flatMap(({ items }) => items.map(({ links }) => links.conversation?.split("/").at(-1) ?? "")));
  } catch {
    // The next change of a job says it.
  }
}

/** Leave nothing for the next person in this window. A deletion that still waits is dropped: the owner keeps it. */
export function forgetConversations(): void {
  leaving.value.forEach((timer) => clearTimeout(timer));
  leaving.value = new Map();
  known.value = new Map();
  atWork.value = new Set();
  cursor.value = null;
  state.value = "new";
}

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the shape is the list below
export function useConversations() {
  return { conversations, known, cursor, state, atWork, renaming, applyChange, load, loadMore, refresh, create, update, fetchOne, put, removeLater };
}
