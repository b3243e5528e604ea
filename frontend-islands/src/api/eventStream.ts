// text/event-stream, piece by piece: pure, for any split of the bytes.

export interface ServerEvent {
  id: number | null;
  event: string;
  data: string;
}

/** Give it text as it comes; it gives back the events that are complete. Comments and unknown fields are skipped. */
export class EventStreamParser {
  private rest = "";

  feed(text: string): ServerEvent[] {
    const parts = (this.rest + text.replaceAll("\r\n", "\n")).split("\n\n");
    this.rest = parts.pop() ?? "";
    return parts.map(eventOf).filter((event) => event !== null);
  }
}

function eventOf(block: string): ServerEvent | null {
  let id: number | null = null;
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    const field = line.slice(0, colon);
    if (field === "id") id = Number(value);
    else if (field === "event") event = value;
    else if (field === "data") data.push(value);
  }
  if (data.length) return { id, event, data: data.join("\n") };
  return id === null ? null : { id, event: "", data: "" }; // only how far the stream has come
}
