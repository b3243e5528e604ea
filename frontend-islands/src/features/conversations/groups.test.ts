import { expect, test } from "vitest";
import type { Conversation } from "@/api/types";
import { grouped } from "./groups";

const now = new Date(2026, 10, 24, 9, 30);
const at = (id: string, date: Date, pinned = false): Conversation => ({ id, pinned, updated_at: date.toISOString() }) as Conversation;

test("days, then a week, a month, and months by name; pinned ones first and only there", () => {
  const list = [
    at("a", new Date(2026, 10, 24, 0, 1)),
    at("b", new Date(2026, 10, 23, 23, 59)),
    at("c", new Date(2026, 10, 23, 0, 0), true),
    at("d", new Date(2026, 10, 17, 12)),
    at("e", new Date(2026, 9, 30)),
    at("f", new Date(2026, 9, 2)),
    at("g", new Date(2025, 9, 2)),
  ];
  expect(grouped(list, now).map(({ heading, items }) => [heading, items.map((item) => item.id)])).toEqual([
    ["pinned", ["c"]],
    ["today", ["a"]],
    ["yesterday", ["b"]],
    ["week", ["d"]],
    ["month", ["e"]],
    [{ year: 2026, month: 9 }, ["f"]],
    [{ year: 2025, month: 9 }, ["g"]],
  ]);
});

test("a clock that runs a little ahead is still today", () => {
  expect(grouped([at("a", new Date(2026, 10, 24, 10))], now)[0]!.heading).toBe("today");
  expect(grouped([], now)).toEqual([]);
});
