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

/** The App as D1 has it. */
interface FoundApp {
  app: KeptApp;
  sealed: string;
  /** What was encrypted: it may have more than this version knows of. */
  text: string;
  /** It has to be encrypted anew before the key before goes. */
  isStale: boolean;
}

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
      const found = await withinDeadline(this.find(), DEADLINE_MS, "the index");
      // What this isolate has kept meanwhile is newer.
      if (this.#known !== known && this.#known !== null) return this.#known.app;
      const app = found.ok ? success(found.value?.app ?? null) : found;
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

  /** Keeps it in the place of the one that was found. @returns whether that was still there: else nothing is changed. */
  async replace(before: string, app: KeptApp, nowMs: number): Promise<boolean> {
    const isReplaced = await this.#seal(before, JSON.stringify(app), nowMs);
    this.#known = isReplaced ? { app: success(app), atMs: nowMs } : null;
    return isReplaced;
  }

  async forget(nowMs: number): Promise<void> {
    await this.#documents.remove(NAME);
    this.#known = { app: success(null), atMs: nowMs };
  }

  /**
   * Encrypts it with the present key, where it was with the one before. Nothing else does: while a deploy is under way, workers
   * that do not know the present key yet read it too.
   * @returns how many secrets that were: one or none.
   */
  async encryptAnew(nowMs: number): Promise<{ encrypted_anew: number; isUnreadable: boolean }> {
    const found = await this.find();
    if (!found.ok) return { encrypted_anew: 0, isUnreadable: true };
    if (found.value === null || !found.value.isStale) return { encrypted_anew: 0, isUnreadable: false };
    const { sealed, text } = found.value;
    if (await this.#seal(sealed, text, nowMs)) return { encrypted_anew: 1, isUnreadable: false };
    // Somebody has changed it meanwhile, perhaps a worker that does not know the present key.
    return this.encryptAnew(nowMs);
  }

  /** The App as D1 has it at this moment, not as it was known. */
  async find(): Promise<Result<FoundApp | null>> {
    const sealed = await this.#documents.read(NAME);
    if (sealed === null) return success(null);
    const opened = await this.#ring.open(PLACE, sealed);
    if (!opened.ok) {
      if (!this.#hasTold) logTrouble("secret_unreadable", { kind: "github-app", id: NAME }, opened.fault);
      this.#hasTold = true;
      return refuse("secret_unreadable", { message: `The GitHub App's key can't be decrypted (${opened.fault}).` });
    }
    const { text, isStale } = opened;
    return success({ app: keptAppSchema.parse(JSON.parse(text)), sealed, text, isStale });
  }

  async #seal(before: string, text: string, nowMs: number): Promise<boolean> {
    return this.#documents.replace(NAME, before, await this.#ring.seal(PLACE, text), nowMs);
  }
}
