import { expect, test } from "vitest";
import { bytes } from "./bytes";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1 kB"],
  [1_340_000_000, "1.3 GB"],
  [250_400_000, "250 MB"],
  [3_000_000_000_000_000, "3,000 TB"],
])("%i", (size, text) => expect(bytes(size)).toBe(text));
