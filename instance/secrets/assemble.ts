/** The secrets of runs, as an instance's objects ask for them: where each is kept decides who reads it. */
import type { Config } from "../config.ts";
import { KeyRing } from "../key-ring.ts";
import { ASKING, type Asking } from "./ask-store.ts";
import { AwsSecrets } from "./aws-secrets.ts";
import { KeptSecrets } from "./kept-secrets.ts";
import { type FoundSecret, SecretRows } from "./secret-rows.ts";
import { type SourceAnswer, sourceFault } from "./secret-source.ts";
import { SecretsOfRuns } from "./secrets-of-runs.ts";
import type { SecretStores } from "./store-variables.ts";
import { VaultSecrets, VaultSignIns } from "./vault-secrets.ts";

export function secretsOfRuns(
  database: D1Database,
  { signingKeys, secretStores }: Pick<Config, "signingKeys" | "secretStores">,
  asking: Asking = ASKING,
): SecretsOfRuns {
  const kept = new KeptSecrets(new KeyRing(signingKeys));
  const signIns = new VaultSignIns();
  return new SecretsOfRuns({
    rows: new SecretRows(database),
    reader: () => readerOf(kept, secretStores, asking, signIns),
    now: () => Date.now(),
  });
}

function readerOf(kept: KeptSecrets, stores: SecretStores, asking: Asking, signIns: VaultSignIns) {
  const vault = stores.vault === null ? null : new VaultSecrets(stores.vault, asking, signIns);
  const aws = stores.aws === null ? null : new AwsSecrets(stores.aws, asking);
  return async ({ name, sealed, source }: FoundSecret): Promise<SourceAnswer> => {
    if (sealed !== null) return kept.read({ name, sealed });
    if (source !== null && "vault" in source && vault !== null) return vault.read(source.vault);
    if (source !== null && "aws" in source && aws !== null) return aws.read(source.aws);
    return sourceFault("refused", "This instance does not know the store that it is kept in.");
  };
}
