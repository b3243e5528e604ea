// What a viewer knows of an answer, and how an event changes it. Pure: the same events, however split or repeated,
// end in the same state.
import type { Job, Message, Usage } from "@/api/types";
import type { ServerEvent } from "@/api/eventStream";

export interface Answer {
  /** Number of the last event in it; where a stream is taken up again. */
  position: number;
  blocks: readonly string[];
  thinking: string;
  status: Job["status"];
  place: number | null;
  /** Where a run stands before its first word, and since when. */
  phase: Job["phase"];
  phaseAt: string | null;
  /** Why it waits that could not be given at once, and when it is tried again. */
  reason: { code: string; message: string } | null;
  retryAt: string | null;
  attempt: number;
  usage: Usage | null;
  /** Why the text was begun anew, the last time that it was. */
  restarted: string | null;
  /** What the server says that it came to. */
  job: Job | null;
  message: Message | null;
}

export const UNSEEN: Answer = Object.freeze({
  position: 0,
  blocks: [],
  thinking: "",
  status: "queued",
  place: null,
  phase: null,
  phaseAt: null,
  reason: null,
  retryAt: null,
  attempt: 0,
  usage: null,
  restarted: null,
  job: null,
  message: null,
});

export const isEnded = (answer: Answer): boolean => answer.job !== null;

export function applyEvents(answer: Answer, events: readonly ServerEvent[]): Answer {
  return events.reduce(applyEvent, answer);
}

export function applyEvent(answer: Answer, { id, event, data }: ServerEvent): Answer {
  // Ended, or seen before: a stream that is taken up again may repeat itself. Only blocks may come twice under one
  // number: the first ones that a viewer who comes in the middle gets stand for all before.
  const isOld = id !== null && (event === "html" ? id < answer.position : id <= answer.position);
  if (isEnded(answer) || isOld) return answer;
  const next = { ...answer, ...change(answer, event, JSON.parse(data)) };
  return id === null ? next : { ...next, position: id };
}

interface Data {
  status: {
    status: Job["status"];
    attempt: number;
    position: number | null;
    phase?: Job["phase"];
    phase_at?: string;
    reason?: { code: string; message: string };
    retry_at?: string;
  };
  thinking: { text: string };
  html: { from: number; blocks: string[] };
  restart: { reason: string };
  done: { job: Job; message: Message | null };
}

function change(answer: Answer, event: string, data: unknown): Partial<Answer> {
  switch (event) {
    case "status": {
      const { status, attempt, position, phase = null, phase_at: phaseAt = null, reason = null, retry_at: retryAt = null } = data as Data["status"];
      return { status, attempt, place: position, phase, phaseAt, reason, retryAt };
    }
    case "thinking":
      return { thinking: answer.thinking + (data as Data["thinking"]).text };
    case "html": {
      const { from, blocks } = data as Data["html"];
      return { blocks: [...answer.blocks.slice(0, from), ...blocks] };
    }
    case "restart":
      return { blocks: [], thinking: "", restarted: (data as Data["restart"]).reason };
    case "usage":
      return { usage: data as Usage };
    case "done": {
      const { job, message } = data as Data["done"];
      return { job, message, status: job.status, usage: message?.usage ?? answer.usage, place: null, reason: null, retryAt: null };
    }
    default:
      return {}; // an event of a newer server
  }
}
