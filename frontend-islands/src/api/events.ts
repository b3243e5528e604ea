// The one stream client: events of a job, or of everything that is one's own, from any position, over fetch (a native
// EventSource cannot send the bearer), by long poll where streams do not come through; goes on by itself after every
// interruption.
import { currentToken, renewed } from "./client";
import { EventStreamParser, type ServerEvent } from "./eventStream";
import { errorOf } from "./problem";
import type { Job, News } from "./types";

const FIRST_EVENT_MS = 5_000;
const SILENCE_MS = 40_000; // a comment comes every 15 s, on the feed every 25 s
const MAX_PAUSE_MS = 10_000;

export interface Follower {
  /** The last event's number that was taken. */
  position(): number;
  take(events: ServerEvent[]): void;
  isDone(): boolean;
  /** The connection was lost (with how often in a row) or is back (0). */
  connection(failures: number): void;
}

/** Where events come from: paths with everything but the position, and what is in the answer to a poll. */
interface Source {
  stream: string;
  poll: string;
  eventsOf(body: unknown): ServerEvent[];
}

/** Follow until `done`. Raises an ApiError that does not pass (gone, signed out); an abort ends it quietly. */
export function followJob(jobId: string, follower: Follower, signal: AbortSignal): Promise<void> {
  return follow(
    { stream: `/jobs/${jobId}/events?format=html`, poll: `/jobs/${jobId}?format=html&wait=20`, eventsOf: (body) => whole((body as Job).events ?? []) },
    follower,
    signal,
  );
}

/** Follow everything that is one's own. */
export function followFeed(follower: Follower, signal: AbortSignal): Promise<void> {
  const eventsOf = (body: unknown): ServerEvent[] => {
    const { events, last_event_id } = body as News;
    return [...whole(events), { id: last_event_id, event: "", data: "" }];
  };
  return follow({ stream: "/events?", poll: "/events?wait=20", eventsOf }, follower, signal);
}

const whole = (events: News["events"]): ServerEvent[] => events.map((event) => ({ ...event, data: JSON.stringify(event.data) }));

async function follow(source: Source, follower: Follower, signal: AbortSignal): Promise<void> {
  let failures = 0;
  let byPoll = false;
  while (!follower.isDone() && !signal.aborted) {
    const before = follower.position();
    try {
      if (byPoll) await poll(source, follower, signal);
      else await stream(source, follower, signal);
      failures = 0;
      follower.connection(0);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof NothingCame) byPoll = true;
      else if (isFinal(error)) throw error;
      else {
        failures = follower.position() === before ? failures + 1 : 1;
        follower.connection(failures);
        await pause(failures, signal);
      }
    }
  }
}

/** A stream that was accepted but brought nothing: something between buffers it whole. */
class NothingCame extends Error {}

const isFinal = (error: unknown): boolean =>
  error instanceof Error && "status" in error && [401, 403, 404].includes(error.status as number);

async function stream(source: Source, follower: Follower, outer: AbortSignal): Promise<void> {
  const inner = new AbortController();
  const signal = AbortSignal.any([outer, inner.signal]);
  let silence = setTimeout(() => inner.abort(new NothingCame()), FIRST_EVENT_MS);
  try {
    const response = await authorised(
      `${source.stream}&after=${follower.position()}`,
      { Accept: "text/event-stream" },
      signal,
    );
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventStreamParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => inner.abort(new Error("silence")), SILENCE_MS);
      const events = parser.feed(value);
      if (events.length) {
        follower.connection(0);
        follower.take(events);
      }
      if (follower.isDone() || events.some((event) => event.event === "reconnect")) return;
    }
  } catch (error) {
    throw inner.signal.aborted ? inner.signal.reason : error;
  } finally {
    clearTimeout(silence);
    inner.abort();
  }
}

async function poll(source: Source, follower: Follower, signal: AbortSignal): Promise<void> {
  const response = await authorised(`${source.poll}&after=${follower.position()}`, {}, signal);
  follower.take(source.eventsOf(await response.json()));
}

async function authorised(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  let token = await currentToken();
  for (let attempt = 0; ; attempt++) {
    const sent = token ? { ...headers, Authorization: `Bearer ${token}` } : headers;
    const response = await fetch(import.meta.env.VITE_API_BASE + path, { headers: sent, signal, cache: "no-store" });
    if (response.ok) return response;
    if (response.status === 401 && attempt === 0) token = await renewed();
    if (response.status !== 401 || attempt > 0 || !token) {
      const body: unknown = await response.json().catch(() => null);
      throw errorOf(response.status, body, response.headers);
    }
  }
}

/** Longer from time to time, never in step with others; over at once when the network or the reader is back. */
function pause(failures: number, signal: AbortSignal): Promise<void> {
  const milliseconds = Math.min(MAX_PAUSE_MS, 250 * 2 ** failures) * (0.75 + Math.random() / 2);
  return new Promise((resolve) => {
    const woken = new AbortController();
    const wake = (): void => {
      clearTimeout(timer);
      woken.abort();
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener("abort", wake, { signal: woken.signal });
    addEventListener("online", wake, { signal: woken.signal });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake(), {
      signal: woken.signal,
    });
  });
}
