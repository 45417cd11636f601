/** The line by which what a run has written at GitHub is known: to whoever looks whether it was done, and to triggers. Pure. */

interface Marked {
  sessionId: string;
  runId: string;
  deedId: string;
}

/** Read by programs alone: people see nothing of it where Markdown is shown. */
const MARKER = /<!-- reveille session=\w+ run=(\w+) deed=([0-9a-f]{32}) -->/g;
/** What somebody quotes has the markers of what is quoted: the text's own is its last. */
const TEXT_LIMIT = 200_000;

export function deedMarker({ sessionId, runId, deedId }: Marked): string {
  return `<!-- reveille session=${sessionId} run=${runId} deed=${deedId} -->`;
}

/** A text with its marker, and without markers that it had: an agent may quote another's. */
export function marked(text: string, of: Marked): string {
  let plain = text;
  // What is left of one around another may be one.
  for (let before = ""; before !== plain; ) {
    before = plain;
    plain = plain.replace(MARKER, "");
  }
  plain = plain.trimEnd();
  return plain === "" ? deedMarker(of) : `${plain}\n\n${deedMarker(of)}`;
}

/** @returns the deed by which a text was written; null where it has no marker. */
export function deedIn(text: string): string | null {
  return lastIn(text)?.[2] ?? null;
}

/** @returns the run by which a text was written, as its marker says; null where it has none. */
export function runIn(text: string): string | null {
  return lastIn(text)?.[1] ?? null;
}

function lastIn(text: string): RegExpMatchArray | undefined {
  return [...text.slice(-TEXT_LIMIT).matchAll(MARKER)].at(-1);
}

/** @param repository as in `githubKey`. @returns the mark of a deed, beside those of pushes. */
export function deedMark(repository: number | string, deedId: string): string {
  return `${repository} deed ${deedId}`;
}
