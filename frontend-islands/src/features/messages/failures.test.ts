import { expect, test } from "vitest";
import { endingOf } from "./failures";

test.each([
  ["complete", "stop", "text", ""],
  ["complete", "stop", " \n", "The model answered with nothing."],
  ["complete", "length", "text", "The answer reached the longest length that is set."],
  ["complete", "refusal", "text", "The model refused to answer."],
  ["complete", "tool_calls", "", "The model asked for a tool, and there is none here."],
  ["complete", "LANGUAGE", "text", "The model server ended the answer with “LANGUAGE”."],
  ["stopped", "cancelled", "text", "Stopped."],
  ["stopped", null, "", "Stopped."],
  ["generating", null, "", ""],
  ["failed", null, "", ""],
] as const)("the end %s, %s is explained", (status, finish_reason, content, said) => {
  expect(endingOf({ status, finish_reason, content })).toBe(said);
});
