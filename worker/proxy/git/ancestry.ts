/**
 * Shows from a push's own pack that a branch only moves forward. A commit's name is the hash of its content, and its content
 * names its parents: a chain of such names from the new commit to the old one can't be made up, whoever wrote the pack.
 */
import type { HeldBody } from "./held-body.ts";
import { Commits, packEntry, packHeader } from "./pack-objects.ts";

/** How far into a pack is looked, and for how many commits. More than anybody pushes onto a branch at once. */
const READ_LIMIT_BYTES = 4_194_304;
const COMMITS_LIMIT = 5_000;
/** How many bytes its objects may come to: a pack can unpack to a thousand times its size. */
const CONTENT_LIMIT_BYTES = 8_388_608;

/** Commit → its parents, of the commits that the pack begins with. */
export type Parents = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the commits at the beginning of the pack: as far as they go without anything between them. What is no pack, or is
 * broken, has none.
 * @param packAt where in the body the pack begins. @param hashName of the repository's object names.
 */
export async function readParents(held: HeldBody, packAt: number, hashName: "SHA-1" | "SHA-256"): Promise<Parents> {
  const parents = new Map<string, readonly string[]>();
  const commits = new Commits();
  try {
    const header = await whenRead(
      held,
      () => packHeader(held.bytes(), packAt),
      (read) => read === "more",
    );
    if (header === null || header === "more") return parents;
    let offset = header.end;
    let contentLength = 0;
    for (let left = Math.min(header.count, COMMITS_LIMIT); left > 0 && contentLength < CONTENT_LIMIT_BYTES; left -= 1) {
      const at = offset;
      const step = await whenRead(
        held,
        () => packEntry(held.bytes(), at, commits),
        ({ kind }) => kind === "more",
      );
      if (step?.kind !== "commit") break;
      const name = await commitName(step.content, hashName);
      commits.add(at, name, step.content);
      parents.set(name, parentsIn(step.content));
      contentLength += step.content.length;
      offset = step.end;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return parents;
}

/**
 * Reads on until there is enough: twice as much each time, so that what is read again is bounded. @returns null at the
 * limit.
 */
async function whenRead<Read>(held: HeldBody, read: () => Read, isMore: (read: Read) => boolean): Promise<Read | null> {
  for (;;) {
    const found = read();
    if (!isMore(found)) return found;
    const have = held.bytes().length;
    if (have >= READ_LIMIT_BYTES) return null;
    while (held.bytes().length < Math.max(2 * have, 1_024)) {
      if (!(await held.more())) {
        const last = read();
        return isMore(last) ? null : last;
      }
    }
  }
}

async function commitName(content: Uint8Array, hashName: string): Promise<string> {
  const head = new TextEncoder().encode(`commit ${content.length}\0`);
  const whole = new Uint8Array(head.length + content.length);
  whole.set(head);
  whole.set(content, head.length);
  const hash = new Uint8Array(await crypto.subtle.digest(hashName, whole));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The parents that a commit's content names: lines of their own right behind the tree's. */
function parentsIn(content: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(content);
  const [, listed = ""] = /^tree [0-9a-f]+\n((?:parent [0-9a-f]+\n)*)/.exec(text) ?? [];
  const named = listed.split("\n").flatMap((line) => (line === "" ? [] : [line.slice("parent ".length)]));
  return [...new Set(named)];
}

/** Commit → those of the pack that name it as a parent. */
export type Children = ReadonlyMap<string, readonly string[]>;

export function childrenOf(parents: Parents): Children {
  const children = new Map<string, string[]>();
  for (const [commit, listed] of parents) {
    for (const parent of listed) {
      const others = children.get(parent);
      if (others === undefined) children.set(parent, [commit]);
      else others.push(commit);
    }
  }
  return children;
}

/** @returns the commits that descend from one of the given ones, the oldest first. */
export function descendantsOf(from: ReadonlySet<string>, children: Children): string[] {
  const found = new Set<string>();
  const left = [...from];
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    for (const child of children.get(next) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      left.push(child);
    }
  }
  return [...found];
}
