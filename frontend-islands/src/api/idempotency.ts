// By which the server knows a request that it gets twice.

/** Not `randomUUID`: without https a browser has none. */
export function newKey(): string {
  return crypto.getRandomValues(new Uint8Array(16)).reduce((key, byte) => key + byte.toString(16).padStart(2, "0"), "");
}

export const keyed = (key = newKey()): { headers: Record<string, string> } => ({ headers: { "Idempotency-Key": key } });
