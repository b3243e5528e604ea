import { describe, expect, it } from "vitest";
import openapi from "../../openapi.json";
import { characters, excess } from "@pages/characters.js";
import { MOST_OF_MESSAGE, MOST_OF_SYSTEM_PROMPT, MOST_OF_TITLE } from "./useLimit";

const SENTENCE = "{count} of {most} characters: {over} too many";

describe("how long a text is", () => {
  it("is counted in characters, as the server does", () => {
    expect(characters("a\n茶🍵👩‍👩‍👧")).toBe(9);
    expect(characters("\ud800a")).toBe(2);
  });

  it("is shown only when the text is too long", () => {
    expect(excess("x".repeat(160_000), 100_000, SENTENCE, "en")).toBe("160,000 of 100,000 characters: 60,000 too many");
    expect(excess("🍵".repeat(100), 100, SENTENCE, "en")).toBe("");
    expect(excess("🍵".repeat(101), 100, SENTENCE, "en")).toBe("101 of 100 characters: 1 too many");
  });

  it("has the API's limits", () => {
    const { MessageCreate, MessageEdit, ConversationCreate, ConversationUpdate } = openapi.components.schemas;
    expect(MessageCreate.properties.content.maxLength).toBe(MOST_OF_MESSAGE);
    expect(MessageEdit.properties.content.maxLength).toBe(MOST_OF_MESSAGE);
    expect(ConversationCreate.properties.system_prompt.maxLength).toBe(MOST_OF_SYSTEM_PROMPT);
    expect(ConversationUpdate.properties.title.anyOf[0]!.maxLength).toBe(MOST_OF_TITLE);
  });
});
