/** What a repository brings along and does not decide: the settings that outrank its own, and its MCP servers, each told by a notice. */
import type { RunOrder } from "#protocol/runner-link.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { readRepositoryFile, SERVERS_FILE, SETTINGS_FILE } from "../agent/read-repository-file.ts";
import { toldOfServers } from "../agent/repository-servers.ts";
import { type RunSettings, runSettings } from "../agent/repository-settings.ts";
import type { Clone } from "../git/clone-plan.ts";
import { serversNotStarted, settingsOverridden } from "./attempt-words.ts";

/** @param where the agent's working folder, its variables, and how long a hook of the repository may take. */
export async function outrankRepository(
  order: RunOrder,
  { folder, env, hookDeadlineMs }: { folder: string; env: Record<string, string>; hookDeadlineMs: number },
  onNotice: (notice: RunnerEvent) => void,
): Promise<RunSettings> {
  const text = (await readRepositoryFile(folder, SETTINGS_FILE))?.text ?? null;
  const hookSeconds = Math.max(1, Math.floor(hookDeadlineMs / 1_000));
  const settings = runSettings({ ...order, text, env, hookSeconds });
  if (settings.overridden.length > 0) onNotice(settingsOverridden(settings.overridden));
  return settings;
}

/** One notice for each repository whose `.mcp.json` asks for servers. */
export async function tellOfServers(
  { mcp_addresses }: RunOrder,
  clones: readonly Clone[],
  onNotice: (notice: RunnerEvent) => void,
): Promise<void> {
  for (const { url, folder } of clones) {
    const file = await readRepositoryFile(folder, SERVERS_FILE);
    const told = file === null ? null : toldOfServers(file.text, mcp_addresses);
    if (told !== null) onNotice(serversNotStarted(url, told));
  }
}
