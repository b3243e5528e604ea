// A long conversation in pieces of a few messages, so that only those near the reader need to be in the document.
import type { Message } from "@/api/types";

export interface Chunk {
  /** Id of its first message. */
  key: string;
  items: readonly Message[];
}

export const CHUNK = 10;

/** Where a piece began it goes on to begin, whatever comes before or after; one that is as it was is the same object. */
export function chunksOf(messages: readonly Message[], previous: readonly Chunk[] = []): Chunk[] {
  const known = new Map(previous.map((chunk) => [chunk.key, chunk]));
  const groups: Message[][] = [];
  for (const message of messages) {
    const last = groups.at(-1);
    if (last && last.length < CHUNK && !known.has(message.id)) last.push(message);
    else groups.push([message]);
  }
  return groups.map((items) => {
    const old = known.get(items[0]!.id);
    const isSame = old?.items.length === items.length && old.items.every((message, at) => message === items[at]);
    return old && isSame ? old : { key: items[0]!.id, items };
  });
}
