/** Calls of Cloudflare's API, as its published types have it (npm package `cloudflare` 7.3.0). */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { messageOf } from "#scripts/outcome.ts";

const CALL_DEADLINE_MS = 30_000;
/** A read that the network or Cloudflare itself has failed is made again after these pauses. */
const PAUSES_MS = [500, 2_000];
export const CLOUDFLARE_API = "https://api.cloudflare.com/client/v4";

export type Credentials = { type: "token"; token: string } | { type: "key"; key: string; email: string };

export interface ApiCall<Schema extends z.ZodType> {
  method?: "GET" | "POST" | "PUT";
  /** From the account's on. */
  path: string;
  query?: [name: string, value: string][];
  headers?: Record<string, string>;
  body?: unknown;
  result: Schema;
  /** What a token has to be allowed, in the words of Cloudflare's page of tokens. */
  permission: string;
}

/** Cloudflare has refused a call, or has not answered. Its message says what to do. */
export class CloudflareFault extends Error {
  /** Cloudflare's own code; null when there was no answer. */
  readonly code: number | null;

  constructor(code: number | null, message: string) {
    super(message);
    this.code = code;
  }
}

const envelopeSchema = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).default([]),
  result: z.unknown(),
});

/** A token that is wrong, has lapsed, or may not do what it is used for. */
const AUTHENTICATION_CODES = [6_003, 9_106, 9_109, 10_000, 10_001];
/** What is no matter of a token, and needs somebody at the dashboard. */
const DASHBOARD_HINTS: Record<number, string> = {
  10042: " R2 has to be switched on once: https://dash.cloudflare.com/?to=/:account/r2.",
};

export class CloudflareApi {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  constructor(base: string, credentials: Credentials) {
    this.#base = base.replace(/\/+$/, "");
    this.#headers =
      credentials.type === "token"
        ? { authorization: `Bearer ${credentials.token}` }
        : { "x-auth-key": credentials.key, "x-auth-email": credentials.email };
  }

  /** @throws CloudflareFault */
  async call<Schema extends z.ZodType>(call: ApiCall<Schema>): Promise<z.infer<Schema>> {
    for (const pauseMs of call.method === "POST" ? [] : PAUSES_MS) {
      try {
        return await this.#callOnce(call);
      } catch (error) {
        if (!(error instanceof PassingFault)) throw error;
        await delay(pauseMs);
      }
    }
    return await this.#callOnce(call);
  }

  async #callOnce<Schema extends z.ZodType>(call: ApiCall<Schema>): Promise<z.infer<Schema>> {
    const { method = "GET", path, query = [], headers = {}, body, result, permission } = call;
    const search = query.length === 0 ? "" : `?${new URLSearchParams(query)}`;
    const what = `${method} ${path}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#base}${path}${search}`, {
        method,
        headers: {
          ...this.#headers,
          ...headers,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(CALL_DEADLINE_MS),
      });
      text = await response.text();
    } catch (error) {
      throw new PassingFault(null, `Cloudflare's API does not answer (${what}: ${whyOf(error)}): check the network.`);
    }
    const envelope = envelopeSchema.safeParse(parseJson(text));
    if (response.status === 429 || response.status >= 500) {
      throw new PassingFault(
        codeIn(envelope),
        `Cloudflare's API answers ${response.status} (${what}): try again soon.`,
      );
    }
    if (!envelope.success) {
      throw new CloudflareFault(null, `Cloudflare's API answers ${response.status} without JSON (${what}).`);
    }
    if (!envelope.data.success) throw refusal(what, permission, response.status, envelope.data.errors);
    const parsed = result.safeParse(envelope.data.result);
    if (parsed.success) return parsed.data;
    throw new CloudflareFault(null, `Cloudflare's answer has another form than is known here (${what}).`);
  }
}

/** One that may not come again. */
class PassingFault extends CloudflareFault {}

function codeIn(envelope: z.ZodSafeParseResult<z.infer<typeof envelopeSchema>>): number | null {
  return envelope.success ? (envelope.data.errors[0]?.code ?? null) : null;
}

function refusal(what: string, permission: string, status: number, errors: { code: number; message: string }[]) {
  const code = errors[0]?.code ?? null;
  const told = errors.map((error) => `${error.message} [code ${error.code}]`).join("; ") || `status ${status}`;
  const isForbidden = status === 401 || status === 403 || AUTHENTICATION_CODES.includes(code ?? 0);
  const permissionHint = isForbidden
    ? ` The token needs the permission "${permission}": https://dash.cloudflare.com/profile/api-tokens.`
    : "";
  const hint = DASHBOARD_HINTS[code ?? 0] ?? permissionHint;
  return new CloudflareFault(code, `Cloudflare refuses ${what}: ${told}.${hint}`);
}

function whyOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
