// Conversations under headings of days, on the reader's clock. Pure.
import type { Conversation } from "@/api/types";

export type Heading = "pinned" | "today" | "yesterday" | "week" | "month" | { year: number; month: number };
export interface Group {
  heading: Heading;
  items: Conversation[];
}

const DAY = 86_400_000;

/** In the order of the list, most recently used first; pinned ones stand apart, above. */
export function grouped(conversations: readonly Conversation[], now: Date): Group[] {
  const pinned = conversations.filter((conversation) => conversation.pinned);
  const groups: Group[] = pinned.length ? [{ heading: "pinned", items: pinned }] : [];
  for (const conversation of conversations) {
    if (conversation.pinned) continue;
    const heading = headingOf(new Date(conversation.updated_at), now);
    const last = groups.at(-1);
    if (last && isSame(last.heading, heading)) last.items.push(conversation);
    else groups.push({ heading, items: [conversation] });
  }
  return groups;
}

function headingOf(moment: Date, now: Date): Heading {
  // Noon keeps clear of the hour that summer time adds or takes.
  const noon = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12).getTime();
  const days = Math.round((noon(now) - noon(moment)) / DAY);
  if (days <= 0) return "today";
  if (days === 1) return "yesterday";
  if (days <= 7) return "week";
  if (days <= 30) return "month";
  return { year: moment.getFullYear(), month: moment.getMonth() };
}

function isSame(one: Heading, other: Heading): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
