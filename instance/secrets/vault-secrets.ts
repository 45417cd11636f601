/** Secrets in HashiCorp Vault, in a KV engine of version 2. */
import { z } from "zod";
import { type SecretSource, textFault } from "#protocol/secret.ts";
import { type Asking, askStore, type StoreAnswer } from "./ask-store.ts";
import { type SecretSourceReader, type SourceAnswer, sourceFault } from "./secret-source.ts";

export type VaultPlace = Extract<SecretSource, { vault: unknown }>["vault"];

export interface VaultAccess {
  /** Without a slash at the end. */
  url: string;
  namespace: string | null;
  /** A token, or what AppRole gives one for. */
  auth: { token: string } | { roleId: string; secretId: string };
}

const foundSchema = z.object({ data: z.object({ data: z.record(z.string(), z.unknown()) }) });
const loggedInSchema = z.object({ auth: z.object({ client_token: z.string() }) });

type Token = string | SourceAnswer;

interface SignIn {
  token: Promise<Token>;
  /** How many attempts take its token. */
  attempts: number;
}

/** The sign-in that is under way: attempts that begin meanwhile take its token. It is kept no longer. */
export class VaultSignIns {
  #underWay: SignIn | null = null;

  join(begin: () => Promise<Token>): SignIn {
    const signIn = this.#underWay ?? { token: begin(), attempts: 0 };
    signIn.attempts += 1;
    this.#underWay = signIn;
    const end = () => {
      if (this.#underWay === signIn) this.#underWay = null;
    };
    if (signIn.attempts === 1) signIn.token.then(end, end);
    return signIn;
  }
}

/** Reads for one attempt: it signs in by itself once at most, and asks for what lies at one path once. */
export class VaultSecrets implements SecretSourceReader<VaultPlace> {
  readonly #access: VaultAccess;
  readonly #asking: Asking;
  readonly #documents = new Map<string, Promise<StoreAnswer | SourceAnswer | null>>();
  readonly #signIns: VaultSignIns;
  #joined: SignIn | null = null;
  #own: Promise<Token> | null = null;
  /** The sign-in and what follows have one deadline. */
  #signal: AbortSignal | null = null;

  /** @param signIns of those who may share one. */
  constructor(access: VaultAccess, asking: Asking, signIns = new VaultSignIns()) {
    this.#access = access;
    this.#asking = asking;
    this.#signIns = signIns;
  }

  async read({ mount, path, key }: VaultPlace): Promise<SourceAnswer> {
    const at = `${pathOf(mount)}/data/${pathOf(path)}`;
    const asked = this.#documents.get(at) ?? this.#document(at);
    this.#documents.set(at, asked);
    const answer = await asked;
    if (answer === null) return sourceFault("unreachable", "Vault gave no answer in time, or none that can be read.");
    if ("ok" in answer) return answer;
    const fault = faultOf(answer.status);
    if (fault !== null) return fault;
    const found = foundSchema.safeParse(answer.body);
    if (!found.success)
      return sourceFault("unreadable", "What Vault has there is no document of a KV engine of version 2.");
    const value = Object.hasOwn(found.data.data.data, key) ? found.data.data.data[key] : undefined;
    if (value === undefined) return sourceFault("missing", "Vault's document does not have the key.");
    const wrong = textFault(value);
    return typeof value === "string" && wrong === null
      ? { ok: true, value }
      : sourceFault("unreadable", `What Vault has ${wrong}.`);
  }

  async #document(at: string): Promise<StoreAnswer | SourceAnswer | null> {
    // Waiting for the sign-in of another is a part of it.
    this.#signal ??= AbortSignal.timeout(this.#asking.deadlineMs);
    const { auth } = this.#access;
    if ("token" in auth) return this.#documentBy(auth.token, at);
    this.#joined ??= this.#signIns.join(() => this.#signIn(auth));
    const answer = await this.#documentBy(await this.#joined.token, at);
    const isDenied = answer !== null && !("ok" in answer) && answer.status === 403;
    if (!isDenied || this.#joined.attempts === 1) return answer;
    // A role may let its tokens be used so often: others may have used this one up.
    this.#own ??= this.#signIn(auth);
    return this.#documentBy(await this.#own, at);
  }

  async #documentBy(token: Token, at: string): Promise<StoreAnswer | SourceAnswer | null> {
    if (typeof token !== "string") return token;
    const init = { headers: { ...this.#headers(), "x-vault-token": token } };
    return this.#ask(at, init);
  }

  async #signIn(auth: { roleId: string; secretId: string }): Promise<Token> {
    const body = JSON.stringify({ role_id: auth.roleId, secret_id: auth.secretId });
    const init = { method: "POST", headers: { ...this.#headers(), "content-type": "application/json" }, body };
    const answer = await this.#ask("auth/approle/login", init);
    const token = loggedInSchema.safeParse(answer?.body);
    if (answer?.status === 200 && token.success) return token.data.auth.client_token;
    if (answer !== null && answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
      return sourceFault("refused", `Vault does not accept the instance's role (${answer.status}).`);
    }
    return sourceFault("unreachable", "Vault gave no answer of use to the instance's sign-in.");
  }

  #ask(path: string, init: RequestInit): Promise<StoreAnswer | null> {
    this.#signal ??= AbortSignal.timeout(this.#asking.deadlineMs);
    return askStore(this.#asking, async () => ({ url: `${this.#access.url}/v1/${path}`, init }), this.#signal);
  }

  #headers(): Record<string, string> {
    const { namespace } = this.#access;
    return { "x-vault-request": "true", ...(namespace === null ? {} : { "x-vault-namespace": namespace }) };
  }
}

/** Its parts are names: none leads elsewhere. */
function pathOf(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
  return parts.map(encodeURIComponent).join("/");
}

function faultOf(status: number): SourceAnswer | null {
  if (status === 200) return null;
  // Also for a version that was deleted or destroyed.
  if (status === 404) return sourceFault("missing", "Vault has nothing at its path.");
  if (status === 400 || status === 401 || status === 403) {
    return sourceFault("refused", `Vault does not let the instance read it (${status}).`);
  }
  return sourceFault("unreachable", `Vault answers ${status}.`);
}
