import type { Message } from "@/api/types";
import type { Figures } from "./figures";

/** Of those answers whose model server said what they took. */
export function figuresOf(messages: readonly Message[]): Figures[] {
  return messages.flatMap(({ role, usage }) =>
    role === "assistant" && usage ? [[usage.prompt_tokens ?? null, usage.completion_tokens ?? null, usage.tokens_per_second ?? null]] : [],
  );
}
