import { expect, test } from "vitest";
import { dayOf, expiryOf, hasExpired } from "./expiry";

const now = new Date(2026, 1, 27, 15, 30);

test("so many days from now, to the second", () => {
  expect(new Date(expiryOf("90", "", now)!).getTime() - now.getTime()).toBe(90 * 86_400_000);
});

test("one that does not expire has no moment", () => {
  expect(expiryOf("never", "2026-03-01", now)).toBeNull();
});

test("a chosen day is good to its end on the reader's clock, also the last of a month", () => {
  const end = new Date(expiryOf("day", "2026-02-28", now)!);
  expect([end.getMonth(), end.getDate(), end.getHours(), end.getMinutes(), end.getSeconds()]).toEqual([1, 28, 23, 59, 59]);
  expect(new Date(expiryOf("day", dayOf(now), now)!) > now).toBe(true);
});

test("a day is written in two digits each", () => {
  expect(dayOf(new Date(2026, 0, 5))).toBe("2026-01-05");
});

test("expired from its moment on; without one, never", () => {
  expect(hasExpired(now.toISOString(), now)).toBe(true);
  expect(hasExpired(new Date(now.getTime() + 1).toISOString(), now)).toBe(false);
  expect([hasExpired(null, now), hasExpired(undefined, now)]).toEqual([false, false]);
});
