/** Clones the submodules whose repositories are attached to the routine, and tells of the others. */
import { join } from "node:path";
import type { Bounds } from "../process/spawn.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { CLONE_SETTINGS } from "./clone-plan.ts";
import { type CloneNotice, submodulesFailed, submodulesLeft } from "./clone-words.ts";
import { readableGitError } from "./git-error.ts";
import {
  LIST_SUBMODULES,
  planSubmodules,
  readSubmodules,
  SUBMODULE_ENVIRONMENT,
  type Submodule,
  updateCommand,
} from "./submodule-plan.ts";

export interface SubmoduleOptions {
  sandbox: Sandbox;
  env: Record<string, string>;
  bounds: Bounds;
  /** The addresses of the run's repositories. */
  attached: readonly string[];
  depth: number;
  relayUrl: string;
  onNotice(notice: CloneNotice): void;
}

/** So deep may submodules have submodules. */
const MOST_LEVELS = 4;

/** A submodule that could not be had is no reason for a run to fail. */
export async function cloneSubmodules(url: string, folder: string, options: SubmoduleOptions): Promise<void> {
  const left: Submodule[] = [];
  await update(url, folder, options, left, 1);
  if (left.length > 0) options.onNotice(submodulesLeft(url, left));
}

async function update(
  url: string,
  folder: string,
  options: SubmoduleOptions,
  left: Submodule[],
  level: number,
): Promise<void> {
  const { sandbox, bounds, attached, depth, relayUrl } = options;
  const place = { cwd: folder, env: { ...options.env, ...CLONE_SETTINGS, ...SUBMODULE_ENVIRONMENT } };
  const listed = await sandbox.run(LIST_SUBMODULES, place, bounds);
  const plan = planSubmodules(readSubmodules(listed.stdout, url), attached);
  left.push(...plan.left);
  if (plan.cloned.length === 0) return;
  const paths = plan.cloned.map(({ path }) => path);
  const end = await sandbox.run(updateCommand(paths, depth), place, bounds);
  if (end.code !== 0) options.onNotice(submodulesFailed(url, paths, readableGitError(end.stderr, relayUrl, url)));
  if (end.code !== 0 || level === MOST_LEVELS) return;
  for (const each of plan.cloned) await update(each.url, join(folder, each.path), options, left, level + 1);
}
