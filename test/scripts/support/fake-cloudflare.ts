/**
 * A stand-in for Cloudflare's API, as far as a deploy asks it. *Documented*, never compared with the real one: paths, bodies and
 * answers are those of Cloudflare's published types (npm package `cloudflare` 7.3.0: resources/d1, r2, queues, workers, accounts)
 * and of what wrangler 4.164.0 sends and reads; codes of what is not there are those that wrangler looks for. It also stands for
 * the deployed instance: /readyz and sign-in codes answer as the version that was uploaded last would.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ACCOUNT_ID, FakeAccount } from "./fake-account.ts";

export const TOKEN = "token-of-the-tests";
const API = "/client/v4";

/** What Cloudflare answers in an envelope of its own. */
export interface FakeAnswer {
  status?: number;
  result?: unknown;
  error?: { code: number; message: string };
}

/** The requests that fail, while it is set. */
export interface Trouble {
  /** Of `METHOD path`, from the account's on. */
  when: RegExp;
  answer: FakeAnswer;
}

export class FakeCloudflare {
  readonly account = new FakeAccount();
  /** What changed something, in order: `METHOD path`. */
  readonly changes: string[] = [];
  trouble: Trouble | null = null;
  /** What is wrong with the instance; null when it is ready. */
  fault: string | null = null;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.account.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get apiUrl(): string {
    return `${this.origin}${API}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.origin);
    const body = await readBody(request);
    if (body === null) return;
    const answer = url.pathname.startsWith(API)
      ? this.#answerApi(request, url, body)
      : this.#answerInstance(request, url.pathname);
    const { status, json } = await answer;
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  }

  async #answerApi(request: IncomingMessage, url: URL, body: Buffer) {
    const path = url.pathname.slice(API.length).replace(`/accounts/${ACCOUNT_ID}`, "");
    const what = `${request.method} ${path}`;
    const answered = (await this.#judge(request, what, url, body)) satisfies FakeAnswer;
    if (request.method !== "GET" && answered.error === undefined) this.changes.push(what);
    const { status = answered.error === undefined ? 200 : 400, result = null, error } = answered;
    const items = Array.isArray(result) ? result.length : 0;
    const result_info = { page: 1, per_page: 100, count: items, total_count: items };
    return {
      status,
      json: {
        success: error === undefined,
        errors: error === undefined ? [] : [error],
        messages: [],
        result,
        result_info,
      },
    };
  }

  async #judge(request: IncomingMessage, what: string, url: URL, body: Buffer): Promise<FakeAnswer> {
    const isUpload = what.startsWith("POST /workers/assets/upload");
    if (!isUpload && request.headers.authorization !== `Bearer ${TOKEN}`) {
      return { status: 401, error: { code: 10_000, message: "Authentication error" } };
    }
    if (this.trouble?.when.test(what)) return this.trouble.answer;
    const headers = new Headers(request.headers as Record<string, string>);
    return await this.account.answer(what, url.searchParams, new Request(url, { method: "POST", headers, body }));
  }

  /** As the deployed worker answers. */
  async #answerInstance(request: IncomingMessage, path: string) {
    const { deployed } = this.account;
    if (deployed === null) return { status: 404, json: {} };
    if (path === "/readyz" && this.fault !== null) {
      const issues = [{ field: "schema", message: this.fault }];
      const error = {
        type: "api_error",
        message: "The instance is not ready.",
        details: { code: "not_ready", issues },
      };
      return { status: 503, json: { type: "error", error, request_id: "req_1" } };
    }
    if (path === "/readyz") return { status: 200, json: { ok: true, version: "0.1.0", deployment: deployed.id } };
    const isOwner = request.headers.authorization === `Bearer ${deployed.secrets.get("OWNER_TOKEN")}`;
    if (!isOwner) return { status: 401, json: {} };
    return { status: 200, json: { code: randomUUID() } };
  }
}

/** @returns null when the caller has gone in the middle of it, as a deploy does that is told to end. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  try {
    return Buffer.concat(await request.toArray());
  } catch (error) {
    if (request.errored !== null) return null;
    throw error;
  }
}
