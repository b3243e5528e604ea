import { expect, test } from "vitest";
import { found } from "./modelGroups";

const groups = [
  { name: "Ollama", options: [{ id: "ollama/qwen3:8b", label: "qwen3:8b · loaded" }, { id: "ollama/llama3.2", label: "llama3.2" }] },
  { name: "OpenAI", options: [], note: "unreachable" },
];
const ids = (wanted: string): string[] => found(groups, wanted).flatMap(({ options }) => options.map(({ id }) => id));

test("words in any order and any case; the server's name counts", () => {
  expect(ids("8B qwen")).toEqual(["ollama/qwen3:8b"]);
  expect(ids("ollama 3")).toEqual(["ollama/qwen3:8b", "ollama/llama3.2"]);
  expect(ids("gpt")).toEqual([]);
});

test("without a word everything is there, empty servers with their reason too", () => {
  expect(found(groups, "  ")).toEqual(groups);
});
