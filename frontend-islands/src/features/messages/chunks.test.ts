import fc from "fast-check";
import { expect, test } from "vitest";
import type { Message } from "@/api/types";
import { CHUNK, chunksOf } from "./chunks";

const messages = (from: number, to: number): Message[] => Array.from({ length: to - from }, (_, n) => ({ id: `m${from + n}` }) as Message);

test("nothing is lost, moved or twice, however the messages came", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 45 })), { maxLength: 12 }), (steps) => {
      let [from, to] = [1_000, 1_000];
      let all: Message[] = [];
      let chunks = chunksOf(all);
      for (const [isEarlier, count] of steps) {
        all = isEarlier ? [...messages(from - count, from), ...all] : [...all, ...messages(to, to + count)];
        [from, to] = isEarlier ? [from - count, to] : [from, to + count];
        chunks = chunksOf(all, chunks);
        expect(chunks.flatMap(({ items }) => items)).toEqual(all);
        expect(chunks.every(({ key, items }) => key === items[0]!.id && items.length <= CHUNK)).toBe(true);
      }
    }),
  );
});

test("what was there stays the same piece when older messages come, and when another one changes", () => {
  const all = messages(100, 125);
  const before = chunksOf(all);
  const after = chunksOf([...messages(0, 100), ...all], before);
  expect(before.every((chunk) => after.includes(chunk))).toBe(true);
  const changed = all.map((message, at) => (at === 3 ? { ...message } : message));
  expect(chunksOf(changed, before).map((chunk, at) => chunk === before[at])).toEqual([false, true, true]);
});
