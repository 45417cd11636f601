/** Puts git's settings where the sandbox can only read them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunFolder } from "../process/run-folder.ts";
import { type GitSettingsInput, gitSettings } from "./git-settings.ts";
import { hasLfs } from "./lfs.ts";

/** In one go: these are nearly twenty small files, which take a twentieth of the processor time of those that let others in between. */
export function writeGitSettings(
  { git, hooks, tools }: RunFolder,
  input: Omit<GitSettingsInput, "folder" | "hasLfs">,
): void {
  const settings = gitSettings({ ...input, folder: git, hasLfs: hasLfs() });
  writeFileSync(join(git, "config"), settings.config);
  writeScripts(hooks, settings.hooks);
  writeScripts(tools, settings.tools);
}

function writeScripts(folder: string, scripts: Record<string, string>): void {
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(folder, name), text, { mode: 0o755 });
}
