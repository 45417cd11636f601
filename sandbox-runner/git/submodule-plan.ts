/** Which submodules of a clone are cloned with it, without doing it. */
import type { Command } from "../process/spawn.ts";
import { plainAddress } from "./git-settings.ts";

export interface Submodule {
  /** Its folder in the repository. */
  path: string;
  /** As a whole address; as it is written where it is none. */
  url: string;
}

/** Prints paths and addresses of the submodules of what is checked out, each as a key, a line feed, a value and a NUL. */
export const LIST_SUBMODULES: Command = [
  "git",
  ...["config", "--blob", "HEAD:.gitmodules", "-z", "--get-regexp", "^submodule\\..*\\.(path|url)$"],
];

/** @param output of `LIST_SUBMODULES`. @param repository the address of the repository that has them. */
export function readSubmodules(output: string, repository: string): Submodule[] {
  const found = new Map<string, { path?: string; url?: string }>();
  for (const entry of output.split("\0")) {
    const [, name = "", what = "", value = ""] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(entry) ?? [];
    if (name !== "") found.set(name, { ...found.get(name), [what]: value });
  }
  return [...found].flatMap(([name, { path, url }]) => {
    // What git itself passes over: a name that leads out of its own folder, a path that looks like an option.
    if (path === undefined || url === undefined || path.startsWith("-") || /(?:^|[\\/])\.\.(?:[\\/]|$)/.test(name))
      return [];
    return [{ path, url: wholeAddress(url, repository) }];
  });
}

/** An address that begins with `./` or `../` counts from the repository's own. */
function wholeAddress(url: string, repository: string): string {
  if (!/^\.\.?\//.test(url)) return url;
  return new URL(url, `${plainAddress(repository)}/`).href;
}

/** Those whose repository is attached to the routine are cloned; the others the agent's git could not reach by the relay. */
export function planSubmodules(all: readonly Submodule[], attached: readonly string[]) {
  const known = new Set(attached.map((url) => plainAddress(new URL(url).href)));
  const isAttached = ({ url }: Submodule) => URL.canParse(url) && known.has(plainAddress(new URL(url).href));
  return { cloned: all.filter(isAttached), left: all.filter((each) => !isAttached(each)) };
}

/** No way to run a program that the repository names: neither as its way of updating, nor as a protocol. */
export function updateCommand(paths: readonly string[], depth: number): Command {
  const deep = depth === 0 ? [] : [`--depth=${depth}`];
  return ["git", "submodule", "--quiet", "update", "--init", "--checkout", ...deep, "--", ...paths];
}

/** Git takes the run's own settings away from what it starts for submodules; these stay. */
export const SUBMODULE_ENVIRONMENT = { GIT_ALLOW_PROTOCOL: "http" };
