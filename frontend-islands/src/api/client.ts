// The one client: bearer header, one silent refresh for a burst of 401s, the password where it is asked for again,
// problems as typed errors.
import axios, { AxiosError, type AxiosInstance, type AxiosRequestConfig, type InternalAxiosRequestConfig } from "axios";
import { errorOf, unreachable } from "./problem";

/** What the client needs to know of the session; given by the session store, so that neither imports the other. */
export interface Access {
  token(): string | null;
  /** A new token by the session cookie; null when nobody is signed in any more. */
  renew(): Promise<string | null>;
  /** Asks for the password again; whether it was given. */
  confirm(): Promise<boolean>;
}

let access: Access = { token: () => null, renew: () => Promise.resolve(null), confirm: () => Promise.resolve(false) };

export function useAccess(given: Access): void {
  access = given;
}

/** The token to send now, renewed first if there is none. Raises nothing: without one the server says 401. */
export async function currentToken(): Promise<string | null> {
  return access.token() ?? (await renewed());
}

let renewing: Promise<string | null> | null = null;

/** One refresh however many ask for it at the same time. */
export function renewed(): Promise<string | null> {
  renewing ??= access.renew().finally(() => {
    renewing = null;
  });
  return renewing;
}

type Retried = InternalAxiosRequestConfig & { retried?: boolean; confirmed?: boolean };

export function createClient(base: string): AxiosInstance {
  const client = axios.create({ baseURL: base, timeout: 40_000, headers: { Accept: "application/json" } });

  client.interceptors.request.use((request) => {
    const token = access.token();
    if (token && !request.headers.has("Authorization")) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  });

  client.interceptors.response.use(undefined, async (error: unknown) => {
    if (!(error instanceof AxiosError)) throw error;
    const { response, config } = error;
    if (!response || !config) throw axios.isCancel(error) ? error : unreachable();
    const request = config as Retried;
    if (response.status === 401 && !request.retried && !isSignIn(request.url)) {
      request.retried = true;
      // Another one of the burst may have come back with a new token already.
      const current = access.token();
      const token = current && request.headers.get("Authorization") !== `Bearer ${current}` ? current : await renewed();
      if (token) {
        request.headers.set("Authorization", `Bearer ${token}`);
        return client.request(request);
      }
    }
    const headers = response.headers as Record<string, unknown>;
    const failure = errorOf(response.status, response.data, { get: (name) => headers[name] });
    if (failure.code === "password_needed" && !request.confirmed && (await access.confirm())) {
      request.confirmed = true;
      return client.request(request);
    }
    throw failure;
  });
  return client;
}

const isSignIn = (url = ""): boolean => /\/auth\/(login|refresh|register)$/.test(url);

export const client = createClient(import.meta.env.VITE_API_BASE);

export async function get<Answer>(path: string, params?: object, config?: AxiosRequestConfig): Promise<Answer> {
  return (await client.get<Answer>(path, { ...config, params })).data;
}

export async function post<Answer>(path: string, body?: unknown, config?: AxiosRequestConfig): Promise<Answer> {
  return (await client.post<Answer>(path, body, config)).data;
}

export async function patch<Answer>(path: string, body: unknown): Promise<Answer> {
  return (await client.patch<Answer>(path, body)).data;
}

export async function remove(path: string, params?: object): Promise<void> {
  await client.delete(path, { params });
}
