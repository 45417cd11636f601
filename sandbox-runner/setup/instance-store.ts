/** Results of setup scripts at the instance: for a container, of which nothing is left after its run. */
import { createReadStream } from "node:fs";
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import { SETUP_HEADERS, SETUP_KEPT_MS, setupPath } from "#protocol/setup-archive.ts";
import type { Archive, KeptSetup, SetupStore } from "./setup-store.ts";

export interface InstanceStoreOptions {
  /** Without a slash at its end. */
  instanceUrl: string;
  runId: string;
  /** No program of the agent's has it: what is kept is the runner's word alone. */
  linkToken: string;
}

export class InstanceStore implements SetupStore {
  readonly #options: InstanceStoreOptions;

  constructor(options: InstanceStoreOptions) {
    this.#options = options;
  }

  async find(key: string, signal: AbortSignal): Promise<KeptSetup | null> {
    const answer = await this.#ask(key, { method: "GET", headers: {}, signal });
    const { statusCode, headers } = answer;
    const keptAtMs = Number(headers[SETUP_HEADERS.keptAt]);
    if (statusCode === 200 && Math.abs(Date.now() - keptAtMs) <= SETUP_KEPT_MS) {
      const sha256 = String(headers[SETUP_HEADERS.sha256]);
      return { bytes: Number(headers[SETUP_HEADERS.bytes]), sha256, keptAtMs, content: answer };
    }
    answer.destroy();
    if (statusCode === 200 || statusCode === 404) return null;
    throw new Error(`the instance answered ${statusCode}`);
  }

  async keep(key: string, { file, bytes, sha256 }: Archive, signal: AbortSignal): Promise<void> {
    const headers = { "content-length": String(bytes), [SETUP_HEADERS.sha256]: sha256 };
    const { statusCode } = await this.#ask(key, { method: "PUT", headers, signal, file });
    if (statusCode !== 204) throw new Error(`the instance answered ${statusCode}`);
  }

  /** @param file what is sent; nothing by default. @throws when the instance gives no answer. */
  #ask(
    key: string,
    {
      method,
      headers,
      signal,
      file,
    }: { method: string; headers: OutgoingHttpHeaders; signal: AbortSignal; file?: string },
  ): Promise<IncomingMessage> {
    const { instanceUrl, runId, linkToken } = this.#options;
    const url = new URL(`${instanceUrl}${setupPath(runId, key)}`);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((answered, fail) => {
      const asked = { method, headers: { ...headers, authorization: `Bearer ${linkToken}` }, signal, agent: false };
      const request = send(url, asked);
      request.once("response", (answer) => {
        // A body that breaks off fails whoever reads it; nobody may.
        answer.on("error", () => {});
        if (method === "PUT") answer.resume();
        answered(answer);
      });
      request.once("error", fail);
      if (file === undefined) request.end();
      // An instance that answers early, with a refusal, reads no more of it.
      else pipeline(createReadStream(file), request).catch(fail);
    });
  }
}
