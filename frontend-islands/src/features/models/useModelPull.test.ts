import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope, type EffectScope } from "vue";
import * as client from "@/api/client";
import { ApiError } from "@/api/problem";
import type { Job } from "@/api/types";
import { useModelPull } from "./useModelPull";

type Answer = Job | ApiError;
const job = (id: string, status: Job["status"], more: Partial<Job> = {}): Job => ({ id, status, kind: "model_pull", progress: null, result: null, ...more }) as Job;
const progress = (done: number): Partial<Job> => ({ progress: { done, total: 100, unit: "bytes" } });

let scope: EffectScope;
let answers: Answer[];
let asked: [string, unknown][];
let own: Job[];
const arrived = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  [answers, asked, own] = [[], [], []];
  arrived.mockClear();
  scope = effectScope();
  vi.spyOn(client, "get").mockImplementation((path, params) => {
    asked.push([path, params]);
    if (path === "/jobs") return Promise.resolve({ items: own, next_cursor: null }) as Promise<never>;
    const answer = answers.shift();
    if (!answer) return new Promise<never>(() => undefined); // it waits
    return (answer instanceof ApiError ? Promise.reject(answer) : Promise.resolve(answer)) as Promise<never>;
  });
  vi.spyOn(client, "post").mockImplementation((path) =>
    Promise.resolve(path.endsWith("/pull") ? { job: job("a", "queued") } : job("a", "running")) as Promise<never>,
  );
});
afterEach(() => {
  const { pulls, dismiss } = pulling();
  pulls.value.forEach((pull) => dismiss(pull.job.id));
  scope.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const pulling = (): ReturnType<typeof useModelPull> => scope.run(() => useModelPull(arrived))!;
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

test("follows a download to its end and says which model has arrived", async () => {
  answers = [job("a", "running", progress(40)), job("a", "succeeded", { result: { model: "ollama/tea:1b" } })];
  const { pulls, start } = pulling();
  await start("tea:1b");
  await settled();
  expect(pulls.value).toMatchObject([{ name: "tea:1b", job: { status: "succeeded" } }]);
  expect(arrived).toHaveBeenCalledWith("ollama/tea:1b");
  expect(asked).toEqual([["/jobs/a", { wait: 1 }], ["/jobs/a", { wait: 1 }]]);
});

test("a connection that fails is tried again, later each time", async () => {
  const lost = new ApiError(0, "network", "lost");
  answers = [lost, lost, job("a", "failed")];
  const { pulls, start } = pulling();
  await start("tea");
  await settled();
  expect(asked.length).toBe(1);
  await vi.advanceTimersByTimeAsync(500);
  expect(asked.length).toBe(2);
  await vi.advanceTimersByTimeAsync(999);
  expect(asked.length).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(pulls.value[0]!.job.status).toBe("failed");
});

test("one that is not ours any more leaves the list without a word", async () => {
  answers = [new ApiError(404, "not_found", "gone")];
  const { pulls, start } = pulling();
  await start("tea");
  await settled();
  expect(pulls.value).toEqual([]);
});

test("nobody is asked any more when the page is left; taken up again on return", async () => {
  answers = [job("a", "running", progress(10))];
  const { start } = pulling();
  await start("tea");
  await settled();
  scope.stop();
  scope = effectScope();
  own = [job("a", "running", progress(20)), job("old", "succeeded")];
  const { pulls, resume } = pulling();
  await resume();
  expect(pulls.value).toMatchObject([{ name: "tea", job: { progress: { done: 20 } } }]);
  expect(asked.at(-1)![0]).toBe("/jobs/a");
});

test("stops when asked to, and says so until it has", async () => {
  const { pulls, start, cancel } = pulling();
  await start("tea");
  await cancel("a");
  expect(pulls.value).toMatchObject([{ isStopping: true, job: { status: "running" } }]);
});
