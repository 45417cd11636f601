/** What a runner is told of its attempt's environment: the kept one, with the values of secrets in it. */
import { type AttemptEnvironment, VARIABLES_LIMIT_BYTES, variablesBytes } from "#protocol/environment.ts";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { KeptEnvironment } from "#rules/environment/kept-environment.ts";
import { toHex } from "./attempt-token.ts";
import type { InForce } from "./in-force.ts";
import type { SecretsFault, SecretsOfRuns } from "./secrets/secrets-of-runs.ts";

export type ToldEnvironment = { ok: true; value: AttemptEnvironment } | { ok: false; error: RunError };

/** Which attempt, of which routine. */
export interface AttemptOf {
  lease: LeaseRef;
  routineId: string;
}

const encoder = new TextEncoder();

export class AttemptEnvironmentReader {
  readonly #secrets: Pick<SecretsOfRuns, "check" | "fill">;
  readonly #signingKeys: InForce;

  constructor(secrets: Pick<SecretsOfRuns, "check" | "fill">, signingKeys: InForce) {
    this.#secrets = secrets;
    this.#signingKeys = signingKeys;
  }

  /** Whether all that the environment needs can be had now. @returns null when it can. @throws where the database gives no answer. */
  async faultOf({ id, variables }: KeptEnvironment, routineId: string): Promise<RunError | null> {
    const fault = await this.#secrets.check(variables, { routineId, environmentId: id });
    return fault === null ? null : errorOf(fault);
  }

  /** For the runner's order alone: it is stored and logged nowhere. */
  async read(kept: KeptEnvironment, { lease, routineId }: AttemptOf): Promise<ToldEnvironment> {
    const { id, name, revision, network } = kept;
    const use = { routineId, environmentId: id, runId: lease.run_id, attempt: lease.generation };
    const filled = await this.#secrets.fill(kept.variables, use);
    if (!filled.ok) return { ok: false, error: errorOf(filled.fault) };
    const { variables, secret_values } = filled;
    if (variablesBytes(variables) > VARIABLES_LIMIT_BYTES || hasLong(variables)) {
      return { ok: false, error: runError("variables_too_long", "provisioning") };
    }
    const setup =
      kept.setup === null ? null : { script: kept.setup, cache_key: await this.#setupKey(kept, kept.setup, variables) };
    return { ok: true, value: { id, name, revision, network, variables, secret_values, setup } };
  }

  /** All that the script's result depends on. Keyed, so that no value of a secret can be guessed by it. */
  async #setupKey({ id, network }: KeptEnvironment, script: string, variables: object): Promise<string> {
    const sorted = Object.entries(variables).toSorted(([one], [other]) => (one < other ? -1 : 1));
    const text = JSON.stringify(["setup-result", id, network.level, network.allow.toSorted(), sorted, script]);
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const [signingKey] = this.#signingKeys;
    const key = await crypto.subtle.importKey("raw", encoder.encode(signingKey), algorithm, false, ["sign"]);
    return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text))));
  }
}

/** What Linux takes as one variable, its name and value together, in bytes. */
const ONE_VARIABLE_BYTES = 128 * 1_024;

function hasLong(variables: Readonly<Record<string, string>>): boolean {
  return Object.entries(variables).some(([name, value]) => variablesBytes({ [name]: value }) > ONE_VARIABLE_BYTES);
}

function errorOf({ code, detail }: SecretsFault): RunError {
  return runError(code, "provisioning", detail);
}
