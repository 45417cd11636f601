/** What earlier runs of a session have left in a clone: what differs from it later, the run that goes on has changed. */
import type { Clone } from "../git/clone-plan.ts";
import { runScript, type SessionPlace } from "./workspace.ts";
import { WRITE_TREE } from "./workspace-scripts.ts";

/** With the repository's filters, which may hang. */
const DEADLINE_MS = 10_000;

/** @returns its working tree as a tree of git's; null where git gives none: then what was left counts as changed. */
export async function leftTree(
  place: SessionPlace,
  { folder }: Pick<Clone, "folder">,
  signal: AbortSignal,
): Promise<string | null> {
  const end = await runScript(place, WRITE_TREE, [folder], { deadlineMs: DEADLINE_MS, signal });
  const tree = end.stdout.trim();
  return /^[0-9a-f]{40,64}$/.test(tree) ? tree : null;
}
