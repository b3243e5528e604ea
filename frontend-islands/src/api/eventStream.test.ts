import fc from "fast-check";
import { expect, test } from "vitest";
import { EventStreamParser, type ServerEvent } from "./eventStream";

function written(events: ServerEvent[]): string {
  return events
    .map(({ id, event, data }) => `${id === null ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n: ping\n\n`)
    .join("");
}

const events = fc.array(
  fc.record({
    id: fc.option(fc.nat(), { nil: null }),
    event: fc.constantFrom("delta", "status", "done"),
    data: fc.string({ unit: "binary" }).map((text) => JSON.stringify({ text })),
  }),
);

test("however the bytes are cut, the same events come out", () => {
  fc.assert(
    fc.property(events, fc.array(fc.nat({ max: 60 })), (sent, cuts) => {
      let rest = written(sent);
      const parser = new EventStreamParser();
      const found: ServerEvent[] = [];
      for (const cut of cuts) {
        found.push(...parser.feed(rest.slice(0, cut)));
        rest = rest.slice(cut);
      }
      found.push(...parser.feed(rest));
      expect(found).toEqual(sent);
    }),
  );
});

test("comments, unknown fields and half an event are no events", () => {
  const parser = new EventStreamParser();
  expect(parser.feed("retry: 900\n\n: ping\n\nid: 3\nevent: delta\ndata: {")).toEqual([]);
  expect(parser.feed("}\n\n")).toEqual([{ id: 3, event: "delta", data: "{}" }]);
});
