/** The GitHub App as the instance keeps it: encrypted in D1, and for some seconds in an isolate's memory. */
import { z } from "zod";
import { withinDeadline } from "#instance/in-time.ts";
import type { KeyRing, Place } from "#instance/key-ring.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { SealedDocuments } from "../store/sealed-documents.ts";

const keptAppSchema = z.object({
  id: z.int(),
  slug: z.string(),
  name: z.string(),
  /** The account that owns the App, by login. */
  owner: z.string(),
  client_id: z.string(),
  html_url: z.string(),
  /** In PKCS#8. */
  private_key: z.string(),
  /** The webhook's secrets, newest first, the earlier ones with the moment until which they count, in Unix milliseconds. */
  webhook_secrets: z.array(z.object({ secret: z.string(), until_ms: z.number().nullable() })),
  made_at_ms: z.number(),
});
export type KeptApp = z.infer<typeof keptAppSchema>;

const NAME = "github_app";
const PLACE: Place = { kind: "github-app", id: NAME };
/** An isolate knows of another's change after so long. */
const KNOWN_FOR_MS = 5_000;

/** How long D1 may take. */
const DEADLINE_MS = 2_000;

interface Known {
  app: Result<KeptApp | null>;
  atMs: number;
}

export class AppKeeper {
  readonly #documents: SealedDocuments;
  readonly #ring: KeyRing;
  #known: Known | null = null;
  #hasTold = false;

  constructor(documents: SealedDocuments, ring: KeyRing) {
    this.#documents = documents;
    this.#ring = ring;
  }

  /** @returns null when none is set up; `secret_unreadable` when it can't be decrypted. @throws where D1 does not answer and it is not known. */
  async read(nowMs: number): Promise<Result<KeptApp | null>> {
    const known = this.#known;
    if (known !== null && nowMs - known.atMs < KNOWN_FOR_MS && nowMs >= known.atMs) return known.app;
    try {
      const app = await withinDeadline(this.#readNow(nowMs), DEADLINE_MS, "the index");
      this.#known = { app, atMs: nowMs };
      return app;
    } catch (error) {
      // While D1 is away, what was known last is better than nothing.
      if (known !== null) return known.app;
      throw error;
    }
  }

  /** The App's webhook secrets that are in force. */
  async webhookSecrets(nowMs: number): Promise<string[]> {
    const app = await this.read(nowMs);
    if (!app.ok || app.value === null) return [];
    const inForce = app.value.webhook_secrets.filter(({ until_ms }) => until_ms === null || until_ms > nowMs);
    return inForce.map(({ secret }) => secret);
  }

  async keep(app: KeptApp, nowMs: number): Promise<void> {
    await this.#documents.write(NAME, await this.#ring.seal(PLACE, JSON.stringify(app)), nowMs);
    this.#known = { app: success(app), atMs: nowMs };
  }

  async forget(nowMs: number): Promise<void> {
    await this.#documents.remove(NAME);
    this.#known = { app: success(null), atMs: nowMs };
  }

  /** Encrypts it with the present key, where it was with the one before. @returns how many secrets that were: one or none. */
  async encryptAnew(nowMs: number): Promise<{ encrypted_anew: number; isUnreadable: boolean }> {
    const sealed = await this.#documents.read(NAME);
    const opened = sealed === null ? null : await this.#ring.open(PLACE, sealed);
    if (opened?.ok !== true || !opened.isStale) {
      return { encrypted_anew: 0, isUnreadable: opened?.ok === false };
    }
    await this.#documents.write(NAME, await this.#ring.seal(PLACE, opened.text), nowMs);
    return { encrypted_anew: 1, isUnreadable: false };
  }

  async #readNow(nowMs: number): Promise<Result<KeptApp | null>> {
    const sealed = await this.#documents.read(NAME);
    if (sealed === null) return success(null);
    const opened = await this.#ring.open(PLACE, sealed);
    if (!opened.ok) {
      if (!this.#hasTold) logTrouble("secret_unreadable", { kind: "github-app", id: NAME }, opened.fault);
      this.#hasTold = true;
      return refuse("secret_unreadable", { message: `The GitHub App's key can't be decrypted (${opened.fault}).` });
    }
    const app = keptAppSchema.parse(JSON.parse(opened.text));
    if (opened.isStale) await this.keep(app, nowMs);
    return success(app);
  }
}
