/** Secrets that a deploy makes: kept on this machine for their owner's eyes, because Cloudflare shows none again. */
import { rmSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { type DrawnSecret, drawSecret, isDrawnSecret } from "#scripts/instance/secrets.ts";
import { readStateFile, writeStateFile } from "#scripts/instance/state-folder.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";

const keptSchema = z.record(z.string(), z.string().min(1));

/** What earlier deploys of this machine have made for an instance. */
export async function readMadeSecrets(folder: string): Promise<Outcome<Record<string, string>>> {
  const file = fileIn(folder);
  const kept = await readStateFile(file, keptSchema);
  if (kept.ok) return succeeded(kept.value ?? {});
  return failed(
    `${file} can't be read: restore it. If it is lost, move it away: new secrets are made where none are deployed.`,
  );
}

/** Makes those that are not there yet, and writes them down before anybody uses them. */
export async function makeSecrets(
  folder: string,
  made: Record<string, string>,
  names: readonly string[],
): Promise<Record<string, string>> {
  const lacking = names.filter((name): name is DrawnSecret => made[name] === undefined && isDrawnSecret(name));
  const all = { ...made, ...Object.fromEntries(lacking.map((name) => [name, drawSecret(name)])) };
  if (lacking.length > 0) await writeStateFile(fileIn(folder), all);
  return all;
}

/**
 * Writes down what is in force since an upload: one that was given in the place of one that was made. Else the next deploy, which is
 * not given it, would tell runners the old one, and make the instance anew with it.
 */
export async function keepDeployed(folder: string, made: Record<string, string>, known: Record<string, string>) {
  const changed = Object.entries(known).filter(([name, value]) => isDrawnSecret(name) && made[name] !== value);
  if (changed.length > 0) await writeStateFile(fileIn(folder), { ...made, ...Object.fromEntries(changed) });
}

/**
 * Has wrangler read secrets from a file, and leaves none behind: also where this program is told to end. What a kill has left
 * goes with the next deploy, which takes the same file.
 */
export async function withSecretsFile<Value>(
  folder: string,
  secrets: Record<string, string>,
  use: (file: string | null) => Promise<Value>,
): Promise<Value> {
  const file = path.join(folder, "to-give.json");
  const remove = () => rmSync(file, { force: true });
  remove();
  if (Object.keys(secrets).length === 0) return await use(null);
  process.once("exit", remove);
  try {
    await writeStateFile(file, secrets);
    return await use(file);
  } finally {
    remove();
    process.off("exit", remove);
  }
}

/** The token of the first runners in a file of its own, so that it stands in no list of processes. @returns null where it is not known. */
export async function writeRunnerToken(folder: string, token: string | undefined): Promise<string | null> {
  if (token === undefined) return null;
  const file = path.join(folder, "runner-token");
  await rm(file, { force: true });
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  return file;
}

export function fileIn(folder: string): string {
  return path.join(folder, "secrets.json");
}
