/** The settings that outrank the repository's; one notice names what of those has no effect. */
import type { RunOrder } from "#protocol/runner-link.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { readSettings } from "../agent/read-settings.ts";
import { type RunSettings, runSettings } from "../agent/repository-settings.ts";
import { settingsOverridden } from "./attempt-words.ts";

/** @param where the agent's working folder, its variables, and how long a hook of the repository may take. */
export async function outrankRepository(
  order: RunOrder,
  { folder, env, hookDeadlineMs }: { folder: string; env: Record<string, string>; hookDeadlineMs: number },
  onNotice: (notice: RunnerEvent) => void,
): Promise<RunSettings> {
  const text = await readSettings(folder);
  const hookSeconds = Math.max(1, Math.floor(hookDeadlineMs / 1_000));
  const settings = runSettings({ ...order, text, env, hookSeconds });
  if (settings.overridden.length > 0) onNotice(settingsOverridden(settings.overridden));
  return settings;
}
