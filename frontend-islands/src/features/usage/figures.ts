// What the answers of a conversation took, as figures and as lines of a chart.

/** Of one answer: tokens read and written, and tokens a second; null: the model server did not say. */
export type Figures = readonly [read: number | null, written: number | null, rate: number | null];

export interface Bar {
  x: number;
  width: number;
  read: number;
  written: number;
}

export const CHART = { width: 320, height: 96 } as const;
const GAP = 0.25;

export const most = (values: readonly (number | null)[]): number => Math.max(1, ...values.map((value) => value ?? 0));

/** The highest bar takes the whole height. */
export function barsOf(answers: readonly Figures[]): Bar[] {
  const step = CHART.width / Math.max(answers.length, 8);
  const scale = CHART.height / most(answers.map(([read, written]) => (read ?? 0) + (written ?? 0)));
  return answers.map(([read, written], at) => ({
    x: at * step,
    width: step * (1 - GAP),
    read: (read ?? 0) * scale,
    written: (written ?? 0) * scale,
  }));
}

/** One point for each answer whose speed is known, over the middle of its bar. */
export function pointsOf(answers: readonly Figures[]): { x: number; y: number }[] {
  const step = CHART.width / Math.max(answers.length, 8);
  const scale = (CHART.height - 8) / most(answers.map(([, , rate]) => rate));
  return answers.flatMap(([, , rate], at) =>
    rate === null ? [] : [{ x: at * step + (step * (1 - GAP)) / 2, y: CHART.height - 4 - rate * scale }],
  );
}

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (!sorted.length) return null;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
