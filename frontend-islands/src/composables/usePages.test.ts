import { expect, test, vi } from "vitest";
import type { Page } from "@/api/types";
import * as notices from "@/components/notices";
import { usePages } from "./usePages";

/** Two to a page; a cursor is where it begins. */
function listOf(numbers: number[]): (cursor: string | null) => Promise<Page<number>> {
  return (cursor) => {
    const from = Number(cursor ?? 0);
    return Promise.resolve({ items: numbers.slice(from, from + 2), next_cursor: from + 2 < numbers.length ? String(from + 2) : null });
  };
}

test("forward to the end and back to the start", async () => {
  const pages = usePages(listOf([1, 2, 3, 4, 5]));
  await pages.first();
  expect([pages.items.value, pages.isFirst.value, pages.hasNext.value]).toEqual([[1, 2], true, true]);
  await pages.next();
  await pages.next();
  expect([pages.items.value, pages.number.value, pages.hasNext.value]).toEqual([[5], 3, false]);
  await pages.next();
  await pages.previous();
  expect(pages.items.value).toEqual([3, 4]);
  await pages.previous();
  expect([pages.items.value, pages.isFirst.value]).toEqual([[1, 2], true]);
});

test("a page that has emptied gives way to the one before", async () => {
  const numbers = [1, 2, 3];
  const pages = usePages(listOf(numbers));
  await pages.first();
  await pages.next();
  numbers.pop();
  await pages.again();
  expect([pages.items.value, pages.isFirst.value]).toEqual([[1, 2], true]);
});

test("an answer that comes late does not replace a later one", async () => {
  const waiting: ((page: Page<number>) => void)[] = [];
  const pages = usePages(() => new Promise<Page<number>>((resolve) => waiting.push(resolve)));
  const [early, late] = [pages.first(), pages.first()];
  waiting[1]!({ items: [2], next_cursor: null });
  waiting[0]!({ items: [1], next_cursor: null });
  await Promise.all([early, late]);
  expect(pages.items.value).toEqual([2]);
});

test("a list that never came has failed; one that is there stays", async () => {
  let isDown = true;
  const pages = usePages(() => (isDown ? Promise.reject(new Error("down")) : Promise.resolve({ items: [1], next_cursor: null })));
  await pages.first();
  expect(pages.state.value).toBe("failed");
  isDown = false;
  await pages.first();
  isDown = true;
  await pages.again();
  expect([pages.state.value, pages.items.value]).toEqual(["ready", [1]]);
});

test("a look that nobody asked for tells of its failure once, until one goes well", async () => {
  const told = vi.spyOn(notices, "tell").mockImplementation(() => undefined);
  let isDown = false;
  const pages = usePages(() => (isDown ? Promise.reject(new Error("down")) : Promise.resolve({ items: [1], next_cursor: null })));
  await pages.first();
  isDown = true;
  await pages.refresh();
  await pages.refresh();
  expect(told).toHaveBeenCalledTimes(1);
  await pages.again();
  expect(told).toHaveBeenCalledTimes(2);
  isDown = false;
  await pages.refresh();
  isDown = true;
  await pages.refresh();
  expect(told).toHaveBeenCalledTimes(3);
  told.mockRestore();
});
