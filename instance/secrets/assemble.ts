/** The secrets of runs, as an instance's objects ask for them. */
import type { Config } from "../config.ts";
import { KeyRing } from "../key-ring.ts";
import { KeptSecrets } from "./kept-secrets.ts";
import { type FoundSecret, SecretRows } from "./secret-rows.ts";
import { type SourceAnswer, sourceFault } from "./secret-source.ts";
import { SecretsOfRuns } from "./secrets-of-runs.ts";

export function secretsOfRuns(database: D1Database, config: Pick<Config, "signingKeys">): SecretsOfRuns {
  const kept = new KeptSecrets(new KeyRing(config.signingKeys));
  const read = async ({ name, sealed }: FoundSecret): Promise<SourceAnswer> =>
    sealed === null ? sourceFault("refused", "its source is not configured.") : kept.read({ name, sealed });
  return new SecretsOfRuns({ rows: new SecretRows(database), read, now: Date.now });
}
