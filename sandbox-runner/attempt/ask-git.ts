/** Asks git about a clone inside the sandbox once the agent has ended, by a script, whatever the repository's settings name. */
import { BASH } from "../sandbox/entering.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** Stands for the commit of a clone that had none. */
export const NO_COMMIT = "none";

/** With the repository's filters, which may hang: Git LFS, for one, has to tell whether a file is still as its pointer says. */
const FILTERED_DEADLINE_MS = 10_000;
const DEADLINE_MS = 20_000;

/** Asking runs nothing that the repository's settings name, as far as git lets it be switched off. */
const QUIET_GIT = {
  // Names in one order for all programs.
  LC_ALL: "C",
  GIT_OPTIONAL_LOCKS: "0",
  // What commits really hold: a fetched `refs/replace` may show others in their place.
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_CONFIG_COUNT: "2",
  GIT_CONFIG_KEY_0: "core.fsmonitor",
  GIT_CONFIG_VALUE_0: "false",
  GIT_CONFIG_KEY_1: "core.hooksPath",
  GIT_CONFIG_VALUE_1: "/dev/null",
};

/** Switches every filter off that git knows in the clone. */
const WITHOUT_FILTERS = String.raw`
while IFS= read -r filter; do
  for setting in clean= smudge= process= required=false; do
    export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=$filter.${"$"}{setting%%=*}" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=${"$"}{setting#*=}"
    GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
  done
done < <(git -C "$1" config --name-only --get-regexp '^filter\.' | sed 's/\.[^.]*$//' | sort -u)
`;

export interface AskedPlace {
  workspace: string;
  sandbox: Pick<Sandbox, "run">;
  env: Record<string, string>;
  signal: AbortSignal;
}

/**
 * @param script ends with another code than 0 where git has failed. Then, and where it takes too long, a filter that the repository
 *   requires may be why: it is asked again without any.
 * @param words its arguments, the first of which is the clone's folder.
 * @returns what it printed.
 */
export async function askGit(
  script: string,
  words: readonly [folder: string, ...rest: string[]],
  { workspace, sandbox, env, signal }: AskedPlace,
  outputCapBytes: number,
): Promise<string> {
  const ask = (whole: string, deadlineMs: number) => {
    const place = { cwd: workspace, env: { ...env, ...QUIET_GIT } };
    return sandbox.run([...BASH, whole, "ask-git", ...words], place, { deadlineMs, outputCapBytes, signal });
  };
  const filtered = await ask(script, FILTERED_DEADLINE_MS);
  if (filtered.code === 0 || signal.aborted) return filtered.stdout;
  return (await ask(WITHOUT_FILTERS + script, DEADLINE_MS)).stdout;
}
