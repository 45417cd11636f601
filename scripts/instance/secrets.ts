/** Secrets of an instance, drawn at random; those of a local one are kept in its state folder. */
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
  /** What the demo upstream signs its webhooks with. */
  GITHUB_WEBHOOK_SECRET: drawn,
});
export type Secrets = z.infer<typeof secretsSchema>;
/** As the file may have been written before there was a secret for each of these. */
const keptSchema = secretsSchema.partial({ GITHUB_WEBHOOK_SECRET: true });

/** Reads `secrets.json`, draws what is not in it, and writes that down. */
export async function openSecrets(stateFolder: string): Promise<Outcome<Secrets>> {
  const file = path.join(stateFolder, "secrets.json");
  const kept = await readStateFile(file, keptSchema);
  if (!kept.ok) return kept;
  const complete = secretsSchema.safeParse(kept.value);
  if (complete.success) return succeeded(complete.data);
  const secrets: Secrets = {
    OWNER_TOKEN: drawSecret("OWNER_TOKEN"),
    SIGNING_KEY: drawSecret("SIGNING_KEY"),
    RUNNER_TOKEN: drawSecret("RUNNER_TOKEN"),
    UPSTREAM_CREDENTIAL: `demo:${draw()}`,
    ...kept.value,
    GITHUB_WEBHOOK_SECRET: kept.value?.GITHUB_WEBHOOK_SECRET ?? draw(),
  };
  await writeStateFile(file, secrets);
  return succeeded(secrets);
}

/** What an instance can't do without, and nobody has to fetch somewhere. */
const DRAWN = { OWNER_TOKEN: "rvl_owner_", SIGNING_KEY: "", RUNNER_TOKEN: "rvl_runner_" } as const;
export type DrawnSecret = keyof typeof DRAWN;
export const DRAWN_SECRETS = Object.keys(DRAWN);

export function isDrawnSecret(name: string): name is DrawnSecret {
  return Object.hasOwn(DRAWN, name);
}

export function drawSecret(name: DrawnSecret): string {
  return `${DRAWN[name]}${draw()}`;
}

function draw(): string {
  return randomBytes(SECRET_BYTES).toString("hex");
}
