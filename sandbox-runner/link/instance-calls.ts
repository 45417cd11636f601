/** Requests of the runner to its instance beside the link, with the attempt's link token, each with a deadline. */
import { ARTIFACT_NAME_HEADER } from "#protocol/artifact.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import { runnerCallPath } from "#protocol/runner-calls.ts";
import { LEAST_RATE } from "./transfer-pace.ts";

export interface InstanceCallsOptions {
  /** Without a slash at its end. */
  instanceUrl: string;
  runId: string;
  /** No program of the agent's has it. */
  linkToken: string;
  /** Stops whatever is under way. */
  signal: AbortSignal;
}

/** What the instance answered: a value, or why it refused, in words for people. */
export type Called = { ok: true; value: unknown } | { ok: false; status: number | null; why: string };

const DEADLINE_MS = 20_000;
/** For a file, which may be long: this, and what its length takes on the slowest line that is served. */
const FILE_DEADLINE_MS = 120_000;

export class InstanceCalls {
  readonly #options: InstanceCallsOptions;

  constructor(options: InstanceCallsOptions) {
    this.#options = options;
  }

  /** @param rest of the path, below the run's own address. Never rejects. */
  call(method: "GET" | "PUT" | "DELETE", rest: string, body?: unknown): Promise<Called> {
    if (body === undefined) return this.#ask(method, rest, {}, null);
    return this.#ask(method, rest, { "content-type": "application/json" }, JSON.stringify(body));
  }

  /** Sends a file. Never rejects. */
  send(rest: string, content: Buffer, { name, type }: { name: string; type: string }): Promise<Called> {
    const headers = { "content-type": type, [ARTIFACT_NAME_HEADER]: encodeURIComponent(name.toWellFormed()) };
    return this.#ask("PUT", rest, headers, new Uint8Array(content));
  }

  async #ask(
    method: string,
    rest: string,
    headers: Record<string, string>,
    body: string | Uint8Array<ArrayBuffer> | null,
  ): Promise<Called> {
    const { instanceUrl, runId, linkToken, signal } = this.#options;
    try {
      const response = await fetch(`${instanceUrl}${runnerCallPath(runId, rest)}`, {
        method,
        headers: { ...headers, authorization: `Bearer ${linkToken}` },
        signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineFor(body))]),
        redirect: "error",
        body,
      });
      const answer: unknown = await response.json().catch(() => null);
      if (response.ok) return { ok: true, value: answer };
      return {
        ok: false,
        status: response.status,
        why: wordsOf(answer) ?? `The instance answered ${response.status}.`,
      };
    } catch {
      return { ok: false, status: null, why: "The instance did not answer. Try again later." };
    }
  }
}

/** In milliseconds. */
function deadlineFor(body: string | Uint8Array<ArrayBuffer> | null): number {
  if (typeof body === "string" || body === null) return DEADLINE_MS;
  return FILE_DEADLINE_MS + Math.ceil(body.length / LEAST_RATE);
}

function wordsOf(answer: unknown): string | null {
  if (typeof answer !== "object" || answer === null || !("type" in answer) || answer.type !== "error") return null;
  const { message, hint } = (answer as ErrorBody).error;
  return hint === undefined ? message : `${message} ${hint}`;
}
