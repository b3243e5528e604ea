import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AxiosInstance } from "axios";
import { createClient, useAccess } from "./client";
import { ApiError } from "./problem";

let server: Server;
let client: AxiosInstance;
let asked: string[];
let token: string | null;
let renewals: number;
let isConfirming: boolean;
let confirmed: boolean;

const problem = { type: "urn:teahouse:queue_full", title: "Too Many Requests", status: 429, detail: "Full.", instance: "urn:request:1", request_id: "r-1", errors: [{ pointer: "/content", code: "blank", message: "Say something." }] };

beforeEach(async () => {
  [asked, token, renewals] = [[], "old", 0];
  isConfirming = confirmed = false;
  server = createServer((request: IncomingMessage, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    const isGood = request.headers.authorization === "Bearer new";
    const status = request.url === "/full" ? 429 : !isGood ? 401 : request.url === "/account" && !confirmed ? 403 : 200;
    response.writeHead(status, { "Content-Type": "application/json", "Retry-After": "7" });
    response.end(JSON.stringify(status === 429 ? problem : status === 403 ? { ...problem, type: "urn:teahouse:password_needed" } : { status }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.defaults.adapter = "http";
  useAccess({
    token: () => token,
    renew: async () => {
      renewals++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return (token = token === null ? null : "new");
    },
    confirm: () => Promise.resolve((confirmed = isConfirming)),
  });
});

afterEach(() => server.close());

test("a burst of 401s costs one refresh, and every request gets its answer", async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => client.get(`/things/${n}`)));
  expect(answers.map((answer) => answer.status)).toEqual(Array<number>(8).fill(200));
  expect(renewals).toBe(1);
});

test("who is not signed in any more gets one 401 and no endless circle", async () => {
  token = null;
  await expect(client.get("/things")).rejects.toMatchObject({ status: 401 });
  expect([renewals, asked.length]).toEqual([1, 1]);
});

test("what needs the password is sent again once it was given", async () => {
  token = "new";
  isConfirming = true;
  expect((await client.delete("/account")).status).toBe(200);
  expect(asked.length).toBe(2);
});

test("who does not give the password is told what was wanted", async () => {
  token = "new";
  await expect(client.delete("/account")).rejects.toMatchObject({ status: 403, code: "password_needed" });
  expect(asked.length).toBe(1);
});

test("a problem is a typed error with its request id and its fields", async () => {
  const error = await client.get("/full").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 429, code: "queue_full", message: "Full.", requestId: "r-1", retryAfter: 7, isPassing: true });
  expect((error as ApiError).fields.get("content")).toBe("Say something.");
});

test("a server that is away is an error that passes", async () => {
  server.close();
  server.closeAllConnections();
  await expect(client.get("/things")).rejects.toMatchObject({ status: 0, code: "network", isPassing: true });
});
