// What the page and the frame that draws say to each other.

export interface Drawing {
  source: string;
  colours: Record<(typeof COLOURS)[number], string>;
  font: string;
  isDark: boolean;
}

/** `height` 0: there is no drawing. */
export interface Outcome {
  height: number;
  label: string;
}

export const COLOURS = ["surface", "sunken", "ink", "muted", "accent", "user"] as const;
