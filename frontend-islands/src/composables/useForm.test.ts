import { expect, test } from "vitest";
import { ApiError } from "@/api/problem";
import { useForm } from "./useForm";

const refused = (code: string, fields: [string, string][] = []): ApiError => new ApiError(422, code, "All of it.", "r-1", null, new Map(fields));

test("what is about a field stands there, and the whole is not told again", async () => {
  const form = useForm(["email", "password"]);
  expect(await form.send(() => Promise.reject(refused("taken", [["email", "Taken."], ["other", "Odd."]])))).toBe(false);
  expect(form.errors.value).toEqual({ email: "Taken." });
  expect(form.failure.value).toBe("");
});

test("what is about no field, or one that is not there, is told of the whole", async () => {
  const form = useForm(["email"]);
  await form.send(() => Promise.reject(refused("odd", [["other", "Odd."]])));
  expect(form.failure.value).toBe("All of it.");
  await form.send(() => Promise.reject(new Error("Lost.")));
  expect(form.failure.value).toBe("Lost.");
});

test("a problem that names no field is put beside the one that its code is about", async () => {
  const form = useForm(["current"], { wrong_password: "current" });
  await form.send(() => Promise.reject(refused("wrong_password")));
  expect(form.errors.value).toEqual({ current: "All of it." });
});

test("the next try begins clean, and only one goes on at a time", async () => {
  const form = useForm(["email"]);
  await form.send(() => Promise.reject(refused("taken", [["email", "Taken."]])));
  let finish = (): void => undefined;
  const first = form.send(() => new Promise<void>((resolve) => (finish = resolve)));
  expect([form.isBusy.value, form.errors.value]).toEqual([true, {}]);
  expect(await form.send(() => Promise.resolve())).toBe(false);
  finish();
  expect(await first).toBe(true);
  expect(form.isBusy.value).toBe(false);
});
