import { describe, expect, it } from "vitest";
import { settingsOf, typedOf } from "./settings";

describe("settings", () => {
  it("come back as they were", () => {
    const options = { temperature: 0.7, top_k: 40, seed: 0, think: false, stop: ["END"] };
    const typed = typedOf({ system_prompt: "Be brief.", options });
    expect(typed).toMatchObject({ temperature: "0.7", top_p: "", top_k: "40", seed: "0", think: "no" });
    expect(settingsOf(typed, options)).toEqual({ system_prompt: "Be brief.", options });
  });

  it("are left to the model where they are blank", () => {
    const typed = typedOf({ system_prompt: "", options: { temperature: 1, think: "high" } });
    expect(settingsOf({ ...typed, temperature: " ", think: "" }, { temperature: 1, think: "high" }).options).toEqual({});
  });

  it("take a decimal comma, and leave what is no number to the server", () => {
    const typed = typedOf({ system_prompt: "", options: {} });
    expect(settingsOf({ ...typed, temperature: "0,5" }, {}).options).toEqual({ temperature: 0.5 });
    expect(settingsOf({ ...typed, temperature: "hot" }, {}).options).toEqual({ temperature: "hot" });
  });
});
