// How long a key is good for. Pure.

export type Life = "30" | "90" | "365" | "never" | "day";

const DAY_MS = 86_400_000;

/** The moment to tell the server; null: it does not expire. `day` (2026-08-01) is good to its end, where the reader is. */
export function expiryOf(life: Life, day: string, now: Date): string | null {
  if (life === "never") return null;
  if (life !== "day") return new Date(now.getTime() + Number(life) * DAY_MS).toISOString();
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year!, month! - 1, date! + 1, 0, 0, -1).toISOString();
}

export function hasExpired(expires: string | null | undefined, now: Date): boolean {
  return expires ? new Date(expires) <= now : false;
}

/** The day of `now` where the reader is, as a date field writes it. */
export function dayOf(now: Date): string {
  const parts = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}
