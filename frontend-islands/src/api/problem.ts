// What can go wrong with a request, as one error class.
import type { components } from "./schema";

export type Problem = components["schemas"]["Problem"];

/** A refused or failed request. `code` is the problem's type without its prefix, or `network`. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string = "",
    readonly retryAfter: number | null = null,
    readonly fields: ReadonlyMap<string, string> = new Map(),
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Worth trying again as it is. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function unreachable(): ApiError {
  return new ApiError(0, "network", "The server cannot be reached.");
}

/** From a response that is not a success; anything but problem+json becomes a plain failure of that status. */
export function errorOf(status: number, body: unknown, headers: { get(name: string): unknown }): ApiError {
  const retry = Number(headers.get("retry-after"));
  const retryAfter = Number.isFinite(retry) && retry > 0 ? retry : null;
  const requestId = String(headers.get("x-request-id") ?? "");
  if (!isProblem(body)) return new ApiError(status, `http_${status}`, `The server answered with ${status}.`, requestId, retryAfter);
  const fields = new Map((body.errors ?? []).map((field) => [field.pointer.replace(/^\//, ""), field.message]));
  return new ApiError(status, body.type.replace("urn:teahouse:", ""), body.detail, body.request_id, retryAfter, fields);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "type" in body && "detail" in body && "request_id" in body;
}
