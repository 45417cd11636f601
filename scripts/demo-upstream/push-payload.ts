/** Pure: a push as a code host tells of it: the payload of GitHub's `push` event, with the fields that say something here. */

/** One ref that a push has changed. Object names in hex; null for a ref that was not there before, or is gone. */
export interface RefChange {
  ref: string;
  before: string | null;
  after: string | null;
}

export interface ToldCommit {
  id: string;
  tree_id: string;
  /** RFC 3339. */
  timestamp: string;
  message: string;
  author: { name: string; email: string };
  added: string[];
  removed: string[];
  modified: string[];
}

export interface PushFacts {
  /** Its name, and its address without `.git`. */
  repository: { name: string; url: string };
  change: RefChange;
  isForced: boolean;
  /** Oldest first. */
  commits: readonly ToldCommit[];
}

/** A code host numbers its repositories; this one has a single one. */
const REPOSITORY_ID = 1;
const PUSHER = "demo";
const NOTHING = "0".repeat(40);

export function pushPayload({ repository: { name, url }, change, isForced, commits }: PushFacts) {
  const { ref, before, after } = change;
  const told = commits.map((commit) => ({ ...commit, distinct: true, url: `${url}/commit/${commit.id}` }));
  return {
    ref,
    before: before ?? NOTHING,
    after: after ?? NOTHING,
    created: before === null,
    deleted: after === null,
    forced: isForced,
    base_ref: null,
    compare: `${url}/compare/${before ?? ""}...${after ?? ""}`,
    commits: told,
    head_commit: told.at(-1) ?? null,
    repository: {
      id: REPOSITORY_ID,
      name,
      full_name: name,
      private: true,
      html_url: url,
      clone_url: `${url}.git`,
      default_branch: "main",
    },
    pusher: { name: PUSHER },
    sender: { login: PUSHER, id: 1, type: "User" },
  };
}

/** What is different between two lists of refs, by name. */
export function changesBetween(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): RefChange[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].sort().flatMap((ref) => {
    const [was, is] = [before.get(ref) ?? null, after.get(ref) ?? null];
    return was === is ? [] : [{ ref, before: was, after: is }];
  });
}

/** Reads `git for-each-ref --format="%(objectname) %(refname)"`. */
export function parseRefs(output: string): Map<string, string> {
  const lines = output.split("\n").flatMap((line) => {
    const [, object, ref] = /^([0-9a-f]{40,64}) (refs\/.+)$/s.exec(line) ?? [];
    return object === undefined || ref === undefined ? [] : [[ref, object] as const];
  });
  return new Map(lines);
}

/** Each commit as one record, for `git log --format`. */
export const COMMIT_FORMAT = "%x1e%H%x1f%T%x1f%aI%x1f%an%x1f%ae%x1f%B%x1f";

/** Reads `git log --format=COMMIT_FORMAT --name-status`. */
export function parseCommits(output: string): ToldCommit[] {
  return output
    .split("\x1e")
    .slice(1)
    .map((record) => {
      const [id = "", tree_id = "", timestamp = "", name = "", email = "", message = "", files = ""] =
        record.split("\x1f");
      const named = (letters: string) => [...files.matchAll(new RegExp(`^[${letters}]\\t(.+)$`, "gm"))].map(nameOf);
      return {
        id,
        tree_id,
        timestamp,
        message: message.trimEnd(),
        author: { name, email },
        added: named("A"),
        removed: named("D"),
        modified: named("MT"),
      };
    });
}

function nameOf([, name = ""]: RegExpExecArray): string {
  return name;
}
