import fc from "fast-check";
import { expect, test } from "vitest";
import { barsOf, CHART, median, pointsOf, type Figures } from "./figures";

const known = (most: number): fc.Arbitrary<number | null> => fc.option(fc.nat(most), { nil: null });
const figures: fc.Arbitrary<Figures> = fc.tuple(known(200_000), known(50_000), known(9_000));

test("whatever the figures are, everything stays inside of the chart", () => {
  fc.assert(
    fc.property(fc.array(figures, { maxLength: 300 }), (answers) => {
      for (const { x, width, read, written } of barsOf(answers)) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x + width).toBeLessThanOrEqual(CHART.width + 0.001);
        expect(read + written).toBeLessThanOrEqual(CHART.height + 0.001);
      }
      for (const { x, y } of pointsOf(answers)) {
        expect(x).toBeLessThanOrEqual(CHART.width);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(CHART.height);
      }
    }),
  );
});

test("an answer whose speed is not known has no point, and no place in the middle", () => {
  expect(pointsOf([[1, 2, null], [1, 2, 30]])).toHaveLength(1);
  expect(median([30, 10, 20])).toBe(20);
  expect(median([10, 20])).toBe(15);
  expect(median([])).toBeNull();
});
