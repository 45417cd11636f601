/** Results of setup scripts at the instance: for a container, of which nothing is left after its run. */
import { SETUP_HEADERS, SETUP_KEPT_MS, setupPath } from "#protocol/setup-archive.ts";
import { askInstance, type InstanceAccess } from "../link/instance-request.ts";
import type { Archive, KeptSetup, SetupStore } from "./setup-store.ts";

export interface InstanceStoreOptions extends InstanceAccess {
  runId: string;
}

export class InstanceStore implements SetupStore {
  readonly #options: InstanceStoreOptions;

  constructor(options: InstanceStoreOptions) {
    this.#options = options;
  }

  async find(key: string, signal: AbortSignal): Promise<KeptSetup | null> {
    const answer = await askInstance(this.#options, { method: "GET", path: this.#path(key), signal });
    const { status, headers, body } = answer;
    const keptAtMs = Number(headers[SETUP_HEADERS.keptAt]);
    if (status === 200 && Math.abs(Date.now() - keptAtMs) <= SETUP_KEPT_MS) {
      const sha256 = String(headers[SETUP_HEADERS.sha256]);
      return { bytes: Number(headers[SETUP_HEADERS.bytes]), sha256, keptAtMs, content: body };
    }
    body.destroy();
    if (status === 200 || status === 404) return null;
    throw new Error(`the instance answered ${status}`);
  }

  async keep(key: string, { file, bytes, sha256 }: Archive, signal: AbortSignal): Promise<void> {
    const headers = { "content-length": String(bytes), [SETUP_HEADERS.sha256]: sha256 };
    const { status } = await askInstance(this.#options, {
      method: "PUT",
      path: this.#path(key),
      headers,
      signal,
      file,
    });
    if (status !== 204) throw new Error(`the instance answered ${status}`);
  }

  #path(key: string): string {
    return setupPath(this.#options.runId, key);
  }
}
