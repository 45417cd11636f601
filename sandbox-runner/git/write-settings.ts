/** Puts git's settings where the sandbox can only read them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunFolder } from "../process/run-folder.ts";
import { type GitSettingsInput, gitSettings } from "./git-settings.ts";
import { hasLfs } from "./lfs.ts";

export async function writeGitSettings(
  { git, hooks, tools }: RunFolder,
  input: Omit<GitSettingsInput, "folder" | "hasLfs">,
): Promise<void> {
  const settings = gitSettings({ ...input, folder: git, hasLfs: hasLfs() });
  await Promise.all([
    writeFile(join(git, "config"), settings.config),
    writeScripts(hooks, settings.hooks),
    writeScripts(tools, settings.tools),
  ]);
}

async function writeScripts(folder: string, scripts: Record<string, string>): Promise<void> {
  const files = Object.entries(scripts);
  await Promise.all(files.map(([name, text]) => writeFile(join(folder, name), text, { mode: 0o755 })));
}
