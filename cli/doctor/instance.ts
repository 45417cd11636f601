/** Which instance is meant, and with which token. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parseAddress } from "#protocol/web-address.ts";
import type { Variables } from "../command.ts";
import { readTokenFile } from "../token-file.ts";

export interface Instance {
  url: string;
  token: string | null;
}

export interface InstanceOptions {
  url?: string;
  tokenFile?: string;
}

/** What `npm start` writes of a local instance. */
const localSchema = z.object({ url: z.url(), owner_token: z.string() });

/**
 * The one that is named, by option or environment; else the local instance of this folder.
 * @returns a fault, in words, where there is none.
 */
export async function instanceOf(
  options: InstanceOptions,
  environment: Variables,
  folder: string,
): Promise<{ ok: true; instance: Instance } | { ok: false; fault: string }> {
  const url = options.url ?? set(environment["REVEILLE_URL"]);
  const read = options.tokenFile === undefined ? null : await readTokenFile(options.tokenFile);
  if (read?.ok === false) return { ok: false, fault: read.fault };
  const token = read?.token ?? set(environment["OWNER_TOKEN"]) ?? set(environment["REVEILLE_TOKEN"]);
  if (url === null) return await localInstance(environment, folder);
  if (!/^https?:\/\/[^/]/.test(url) || parseAddress(url) === null)
    return { ok: false, fault: `--url (REVEILLE_URL): must be an http(s) address: ${url}` };
  return { ok: true, instance: { url: url.replace(/\/+$/, ""), token } };
}

async function localInstance(environment: Variables, folder: string) {
  const file = join(set(environment["REVEILLE_STATE"]) ?? join(folder, ".reveille"), "local.json");
  try {
    const { url, owner_token } = localSchema.parse(JSON.parse(await readFile(file, "utf8")));
    return { ok: true as const, instance: { url: url.replace(/\/+$/, ""), token: owner_token } };
  } catch {
    return { ok: false as const, fault: `There is no local instance in ${folder}: npm start first, or give --url.` };
  }
}

function set(value: string | undefined): string | null {
  return value === undefined || value === "" ? null : value;
}
