/** Where a session's workspace lies on this machine, and what of it is kept together. */
import { join } from "node:path";
import type { Clone } from "../git/clone-plan.ts";
import type { RunFolder } from "../process/run-folder.ts";
import type { Bounds, Command, CommandEnd, Place } from "../process/spawn.ts";
import { BASH } from "../sandbox/entering.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { PROJECT_FOLDER } from "./conversation-mirror.ts";
import { RENAME_FOLDERS } from "./workspace-scripts.ts";

export interface SessionPlace {
  sandbox: Sandbox;
  /** As commands see it. */
  folder: Pick<RunFolder, "workspace" | "home" | "temporary">;
  clones: readonly Clone[];
  /** The clones that are as somebody else has made them: nothing of them is kept, or put back. */
  foreign: readonly string[];
  /** Of commands there, git's way to its upstreams among it. */
  env: Record<string, string>;
}

/** The parts of an archive: each is a folder in it. */
export const ARCHIVE_PARTS = { records: "records", workspace: "workspace", home: "home" } as const;

/** Where archives are made and unpacked. */
export function stagingFolder({ folder }: SessionPlace): string {
  return join(folder.temporary, "reveille-session");
}

/** The name of a clone's folder. */
export function cloneName({ folder }: Clone): string {
  return folder.slice(folder.lastIndexOf("/") + 1);
}

export function configFolder({ folder }: SessionPlace): string {
  return join(folder.home, ".claude");
}

export function projectFolder(place: SessionPlace): string {
  return join(configFolder(place), "projects", PROJECT_FOLDER);
}

/** What the agent's program keeps beside the conversation: long outputs of tools, its task list, and its own notes. */
export function sideFolders(place: SessionPlace, sdkSessionId: string): string[] {
  return [
    join(projectFolder(place), sdkSessionId, "tool-results"),
    join(configFolder(place), "tasks", sdkSessionId),
    join(projectFolder(place), "memory"),
  ];
}

/** Gives the agent's own files the conversation's name in place of the one that its program has. @throws Error when they keep it. */
export async function renameSides(
  place: SessionPlace,
  own: string,
  given: string,
  bounds: Pick<Bounds, "deadlineMs" | "signal">,
): Promise<void> {
  const folders = [projectFolder(place), join(configFolder(place), "tasks")];
  const words = folders.flatMap((folder) => [join(folder, own), join(folder, given)]);
  const end = await runScript(place, RENAME_FOLDERS, words, bounds);
  if (end.code !== 0) throw new Error("The agent's own files could not be renamed.");
}

/** Looking at a working tree, and putting it back, runs nothing that the repository's settings name, as far as git lets it be switched off. */
export function quietly(env: Record<string, string>): Record<string, string> {
  const settings = { "core.fsmonitor": "false", "core.hooksPath": "/dev/null", "core.quotePath": "false" };
  const numbered = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { ...env, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0", GIT_CONFIG_COUNT: "3", ...Object.fromEntries(numbered) };
}

const OUTPUT_CAP_BYTES = 8 * 1_024 ** 2;

/** Runs a script of `workspace-scripts.ts` there. */
export function runScript(
  place: SessionPlace,
  script: string,
  words: readonly string[],
  given: Pick<Bounds, "deadlineMs" | "signal" | "input">,
): Promise<CommandEnd> {
  return place.sandbox.run(scriptCommand(script, words), placeOf(place), {
    ...given,
    outputCapBytes: OUTPUT_CAP_BYTES,
  });
}

export function scriptCommand(script: string, words: readonly string[]): Command {
  return [...BASH, script, "session", ...words];
}

export function placeOf({ folder, env }: SessionPlace): Place {
  return { cwd: folder.workspace, env: quietly(env) };
}
