import fc from "fast-check";
import { expect, test } from "vitest";
import type { ServerEvent } from "@/api/eventStream";
import { applyEvents, isEnded, UNSEEN, type Answer } from "./applyEvent";

function event(id: number | null, name: string, data: object): ServerEvent {
  return { id, event: name, data: JSON.stringify(data) };
}

const step = fc.oneof(
  fc.record({ name: fc.constant("html"), data: fc.record({ from: fc.nat({ max: 4 }), blocks: fc.array(fc.string(), { maxLength: 3 }) }) }),
  fc.record({ name: fc.constant("thinking"), data: fc.record({ text: fc.string() }) }),
  fc.record({ name: fc.constant("restart"), data: fc.record({ reason: fc.string() }) }),
  fc.record({ name: fc.constant("status"), data: fc.record({ status: fc.constant("running"), attempt: fc.nat(), position: fc.constant(null) }) }),
);
const log = fc.array(step, { maxLength: 30 }).map((steps) => [
  ...steps.map(({ name, data }, at) => event(at + 1, name, data)),
  event(steps.length + 1, "done", { job: { status: "succeeded" }, message: { id: "m" } }),
]);

test("any split of the same events, taken up again anywhere before its end, ends in the same state", () => {
  fc.assert(
    fc.property(log, fc.array(fc.nat()), (events, cuts) => {
      const whole = applyEvents(UNSEEN, events);
      let answer: Answer = UNSEEN;
      for (const cut of cuts) {
        const rest = events.filter(({ id }) => id! > answer.position);
        answer = applyEvents(answer, rest.slice(0, cut % (rest.length + 1)));
      }
      answer = applyEvents(answer, events.filter(({ id }) => id! > answer.position));
      expect(answer).toEqual(whole);
      expect(isEnded(answer)).toBe(true);
    }),
  );
});

test("what was taken already changes nothing when it comes again", () => {
  const events = [event(1, "status", { status: "running", attempt: 1, position: null }), event(2, "thinking", { text: "a" }), event(3, "html", { from: 0, blocks: ["<p>b</p>"] })];
  const once = applyEvents(UNSEEN, events);
  expect(applyEvents(once, events)).toEqual(once);
});

test("blocks from an index on are replaced, and a new attempt begins empty", () => {
  let answer = applyEvents(UNSEEN, [event(1, "html", { from: 0, blocks: ["a", "b"] }), event(2, "html", { from: 1, blocks: ["B", "c"] })]);
  expect(answer.blocks).toEqual(["a", "B", "c"]);
  answer = applyEvents(answer, [event(3, "restart", { reason: "crash" })]);
  expect(answer).toMatchObject({ blocks: [], restarted: "crash", position: 3 });
});

test("a place in the queue moves without a number", () => {
  const answer = applyEvents(UNSEEN, [event(null, "status", { status: "queued", attempt: 0, position: 4 })]);
  expect(answer).toMatchObject({ place: 4, position: 0, status: "queued" });
});
