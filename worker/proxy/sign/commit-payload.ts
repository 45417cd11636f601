/** Whether bytes are a commit that a run may have signed: git's own form, and the run's identity as the committer. Pure. */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });
const ID = /[0-9a-f]{40}(?:[0-9a-f]{24})?/.source;
const STAMP = /[0-9]{1,12} [+-][0-9]{4}/.source;
/** What git signs of a commit: it has no signature yet, and no header that a signature stands in. */
const COMMIT = new RegExp(
  `^tree ${ID}\\n(?:parent ${ID}\\n){0,64}author [^\\n]* <[^<>\\n]*> ${STAMP}\\ncommitter ([^\\n<>]*) <([^<>\\n]*)> ${STAMP}\\n(?:encoding [!-~]+\\n)?\\n`,
);

/** @returns why it is not signed; null for a commit of this identity. */
export function payloadFault(payload: Uint8Array, identity: { name: string; email: string }): string | null {
  const [, name, email] = COMMIT.exec(decoder.decode(payload)) ?? [];
  if (name === undefined) return "only commits are signed";
  if (name === identity.name && email === identity.email) return null;
  return `only commits of ${identity.name} <${identity.email}> are signed: leave user.name and user.email as they are, or commit without a signature (git commit --no-gpg-sign)`;
}
