import { expect, test } from "vitest";
import { deviceName } from "./deviceName";

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "page", "Firefox on Linux"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "page", "Edge on Windows"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "page", "Safari on iPhone"],
  ["curl/8.14.1", "api", "curl"],
  ["something", "api", "A program"],
  ["", "page", "An unknown browser"],
] as const)("%s", (agent, kind, name) => {
  expect(deviceName(agent, kind)).toBe(name);
});
