import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope, nextTick, type EffectScope } from "vue";
import * as client from "@/api/client";
import type { Job } from "@/api/types";
import { useJobs } from "./useJobs";

const job = (id: string, status: Job["status"]): Job => ({ id, status, kind: "answer" }) as Job;
let everybodys: Job[];
let own: Job[];
let scope: EffectScope;
let asked: Record<string, unknown>[];

beforeEach(() => {
  vi.useFakeTimers();
  [everybodys, own, asked] = [[], [], []];
  scope = effectScope();
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("visible");
  vi.spyOn(client, "get").mockImplementation((_path, params) => {
    asked.push({ ...params });
    const items = "all" in params! ? everybodys : own;
    return Promise.resolve({ items, next_cursor: null }) as Promise<never>;
  });
});
afterEach(() => {
  scope.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function jobs(): Promise<ReturnType<typeof useJobs>> {
  const used = scope.run(useJobs)!;
  await vi.advanceTimersByTimeAsync(0);
  return used;
}

test("looks again every two seconds until nothing goes on", async () => {
  everybodys = [job("a", "running"), job("b", "succeeded")];
  const { items } = await jobs();
  everybodys = [job("a", "succeeded"), job("b", "succeeded")];
  await vi.advanceTimersByTimeAsync(2_000);
  expect(items.value.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked.length).toBe(before);
});

test("only one's own that goes on can be stopped, and then it says that it stops", async () => {
  [everybodys, own] = [[job("a", "running"), job("b", "running"), job("c", "failed")], [job("a", "running"), job("c", "failed")]];
  vi.spyOn(client, "post").mockResolvedValue(undefined as never);
  const { cancel, canCancel, isStopping } = await jobs();
  expect(everybodys.map(canCancel)).toEqual([true, false, false]);
  await cancel("a");
  expect(client.post).toHaveBeenCalledWith("/jobs/a/cancel");
  expect(everybodys.map(isStopping)).toEqual([true, false, false]);
});

test("another filter begins at the newest", async () => {
  const { filters } = await jobs();
  filters.status = "failed";
  await nextTick();
  expect(asked.at(-1)).toMatchObject({ all: true, status: "failed", kind: null, cursor: null });
});
