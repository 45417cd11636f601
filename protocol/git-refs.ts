/**
 * Names of refs, by git's own rule (`git check-ref-format`) and nothing else: whoever pushes chooses the name, so everybody
 * who reads one has to read the same. What is a blank or a letter to JavaScript is neither here nor there. Pure.
 */

/** Longer names are not pushed, not checked out and not matched by name: in bytes of UTF-8. Git itself has no bound. */
export const REF_LIMIT_BYTES = 1_000;

const HEADS = "refs/heads/";
const encoder = new TextEncoder();

/** Whether git takes a text as a ref's whole name. A text with half a character has no bytes that it could stand for. */
export function isRefName(ref: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: git refuses those of ASCII, and takes the others.
  if (!ref.isWellFormed() || /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\.$/.test(ref)) return false;
  const parts = ref.split("/");
  return parts.length > 1 && parts.every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

/** @returns a ref's whole name, or null for what is none, or too long. */
export function readRef(text: string | null): string | null {
  if (text === null || text.length > REF_LIMIT_BYTES || !isRefName(text)) return null;
  return encoder.encode(text).length > REF_LIMIT_BYTES ? null : text;
}

/** @returns the whole name of the ref of a branch, or null for a text that can't be a branch's name. */
export function branchRef(branch: string | null): string | null {
  return branch === null ? null : readRef(`${HEADS}${branch}`);
}

/** @returns the branch that a ref is, or null for another kind of ref. */
export function branchOf(ref: string): string | null {
  return ref.startsWith(HEADS) ? ref.slice(HEADS.length) : null;
}

/**
 * Whether git's commands take a branch by its name. Only the whole name of the ref stands for what they would read as an
 * option or as the current branch.
 */
export function isPlainBranch(branch: string): boolean {
  return !branch.startsWith("-") && branch !== "HEAD";
}
