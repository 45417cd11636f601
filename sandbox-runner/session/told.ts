/** What the agent of a later run, and people, are told of what was restored and what was not. Pure. */
import type { EarlierCall, Resume } from "#protocol/conversation.ts";

export interface Restored {
  resume: Resume;
  /** The agent's working folder, as it sees it. */
  workspace: string;
  /** Parts of the workspace that were kept and could not be put back, in words. */
  lost: readonly string[];
  /** Whether what was kept of the workspace could not be had at all. */
  isWorkspaceLost: boolean;
  /** Clones that are as they were cloned just now, with why. */
  fresh: readonly string[];
  /** Calls of tools that the earlier run has made, and of which the conversation knows nothing. */
  forgotten: readonly EarlierCall[];
  /** The commit that this run is about; null where it is about none. */
  commit: string | null;
}

/** What of the workspace is not as the conversation has it, a sentence for each. */
export function missingWords({ resume, lost, isWorkspaceLost, fresh }: Restored): string[] {
  const { workspace } = resume;
  const words: string[] = [];
  if (workspace === null) words.push("Nothing of the earlier workspace was kept: the repositories are freshly cloned.");
  else if (isWorkspaceLost) {
    words.push("What was kept of the earlier workspace can't be had: the repositories are freshly cloned.");
  } else if (!workspace.is_latest) {
    words.push(
      "The machine of the last run was lost, and its workspace with it: files and branches are those of the run before.",
    );
  }
  if (workspace !== null && workspace.left_out_count > 0) {
    const more = workspace.left_out_count - workspace.left_out.length;
    const others = more > 0 ? ` and ${more} more` : "";
    words.push(
      `Left out of what was kept, because it was too large or is no plain file: ${workspace.left_out.join(", ")}${others}.`,
    );
  }
  if (lost.length > 0) words.push(`Could not be put back: ${lost.join("; ")}.`);
  return [...words, ...fresh];
}

/** Stands before the task of a run that goes on. */
export function toldText(restored: Restored): string {
  const missing = missingWords(restored);
  const told = [
    `This conversation goes on in a new run on a new machine. Your workspace is ${restored.workspace}; earlier paths to it may be gone.`,
    "No process of the earlier run is left, and nothing outside of the workspace but what the environment's setup makes. Files that git ignores, such as installed packages and build results, and what was staged are not kept: changes are there, unstaged.",
    ...(missing.length === 0
      ? ["Branches, commits and changed files of the workspace are as you left them."]
      : missing),
    ...(restored.forgotten.length === 0
      ? []
      : [
          `The earlier run was cut off. You had called these tools, which this conversation does not show; whether they took effect is not known, so look before you repeat them: ${restored.forgotten.map(({ name, input }) => `${name} ${input}`).join("; ")}.`,
        ]),
    ...(restored.commit === null
      ? []
      : [`This run is about the commit ${restored.commit}: it is fetched, and checked out only if you do that.`]),
  ];
  return `<system-note>\n${told.join("\n")}\n</system-note>\n\n`;
}
