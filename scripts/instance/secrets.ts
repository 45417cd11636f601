/** Secrets of a local instance: drawn once, and kept in its state folder. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import { z } from "zod";
import { type Outcome, succeeded } from "#scripts/outcome.ts";
import { readStateFile, writeStateFile } from "./state-folder.ts";

const SECRET_BYTES = 32;
const drawn = z.string().min(32);

const secretsSchema = z.object({
  OWNER_TOKEN: drawn,
  SIGNING_KEY: drawn,
  RUNNER_TOKEN: drawn,
  /** `user:password` of the demo upstream. */
  UPSTREAM_CREDENTIAL: z.string().regex(/^[^:]+:.{32,}$/),
});
export type Secrets = z.infer<typeof secretsSchema>;

/** Reads `secrets.json`, or draws the secrets and writes it. */
export async function openSecrets(stateFolder: string): Promise<Outcome<Secrets>> {
  const file = path.join(stateFolder, "secrets.json");
  const known = await readStateFile(file, secretsSchema);
  if (!known.ok) return known;
  if (known.value !== null) return succeeded(known.value);
  const secrets: Secrets = {
    OWNER_TOKEN: `rvl_owner_${draw()}`,
    SIGNING_KEY: draw(),
    RUNNER_TOKEN: `rvl_runner_${draw()}`,
    UPSTREAM_CREDENTIAL: `demo:${draw()}`,
  };
  await writeStateFile(file, secrets);
  return succeeded(secrets);
}

function draw(): string {
  return randomBytes(SECRET_BYTES).toString("hex");
}
