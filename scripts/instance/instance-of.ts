/** Which instance a command is for: the local one that is on, or the one at `--url`, with its OWNER_TOKEN in the environment. */
import path from "node:path";
import { parseArgs } from "node:util";
import { failed, type Outcome, succeeded } from "../outcome.ts";
import { localFileSchema } from "./seed.ts";
import { readSettings } from "./settings.ts";
import { readStateFile } from "./state-folder.ts";

export interface Instance {
  url: string;
  /** The owner's. */
  token: string;
}

/** @param root the clone. */
export async function instanceOf(root: string): Promise<Outcome<Instance>> {
  const { url } = parseArgs({ options: { url: { type: "string" } } }).values;
  if (url !== undefined) {
    const token = process.env["OWNER_TOKEN"];
    if (token === undefined || token === "") return failed("Set OWNER_TOKEN to the instance's owner token.");
    return succeeded({ url: url.replace(/\/+$/, ""), token });
  }
  const settings = readSettings(process.env, root);
  if (!settings.ok) return settings;
  const local = await readStateFile(path.join(settings.value.stateFolder, "local.json"), localFileSchema);
  if (!local.ok) return local;
  if (local.value === null) return failed("There is no local instance: npm start first, or give --url.");
  return succeeded({ url: local.value.url, token: local.value.owner_token });
}
