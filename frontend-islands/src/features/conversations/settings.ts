// The settings of a conversation as they are typed: text, because a field that is blank is left to the model.
import type { Conversation, Options } from "@/api/types";

export const NUMBERS = ["temperature", "top_p", "top_k", "max_tokens", "repeat_penalty", "num_ctx", "seed"] as const;
export type NumberName = (typeof NUMBERS)[number];
export type Think = "" | "yes" | "no" | "low" | "medium" | "high" | "max";
export type Typed = Record<NumberName, string> & { system_prompt: string; think: Think };

export function typedOf({ system_prompt, options }: Pick<Conversation, "system_prompt" | "options">): Typed {
  const known = options as Partial<Record<NumberName, number | null>> & { think?: boolean | string | null };
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, known[name] == null ? "" : String(known[name])]));
  const think = known.think === true ? "yes" : known.think === false ? "no" : (known.think ?? "");
  return { ...numbers, system_prompt, think } as Typed;
}

/** What the API takes; `kept` are settings that have no field here. Numbers that are none are left to the API to refuse. */
export function settingsOf(typed: Typed, kept: object): { system_prompt: string; options: Options } {
  const hasField = (name: string): boolean => name === "think" || (NUMBERS as readonly string[]).includes(name);
  const others = Object.entries(kept).filter(([name]) => !hasField(name));
  const numbers = NUMBERS.map((name) => [name, numberIn(typed[name])]);
  const think = { yes: true, no: false }[typed.think as "yes"] ?? typed.think;
  const filled = [...numbers, ["think", think]].filter(([, value]) => value !== "");
  return { system_prompt: typed.system_prompt, options: Object.fromEntries([...others, ...filled]) as Options };
}

function numberIn(text: string): number | string {
  const spelled = text.trim().replace(",", ".");
  return spelled === "" || Number.isNaN(Number(spelled)) ? spelled : Number(spelled);
}
