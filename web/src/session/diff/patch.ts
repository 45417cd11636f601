/** Pure: what git writes of a change, as files with their hunks and numbered lines. */

export interface PatchLine {
  kind: "same" | "added" | "removed";
  text: string;
  /** In the file before and after; null where the line is not in it. */
  before: number | null;
  after: number | null;
}

export interface Hunk {
  /** What git writes behind the numbers: the function, for instance. */
  context: string;
  lines: PatchLine[];
}

export interface FilePatch {
  path: string;
  hunks: Hunk[];
  /** What git says in place of lines: of a binary file, of a mode. */
  notes: string[];
}

const HUNK = /^@@ -(\d{1,9})(?:,\d{1,9})? \+(\d{1,9})(?:,\d{1,9})? @@ ?(.*)$/;

/** What is not of a patch is left out; a patch that is cut somewhere is read up to there. */
export function readPatch(patch: string): FilePatch[] {
  const files: FilePatch[] = [];
  let hunk: Hunk | null = null;
  let [before, after] = [0, 0];
  const lines = patch.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    if (line.startsWith("diff --git ")) {
      files.push({ path: headPath(line), hunks: [], notes: [] });
      hunk = null;
      continue;
    }
    const file = files.at(-1);
    if (file === undefined) continue;
    const head = HUNK.exec(line);
    if (head !== null) {
      hunk = { context: head[3] ?? "", lines: [] };
      [before, after] = [Number(head[1]), Number(head[2])];
      file.hunks.push(hunk);
    } else if (hunk === null) readHead(file, line);
    else if (line.startsWith("+"))
      hunk.lines.push({ kind: "added", text: line.slice(1), before: null, after: after++ });
    else if (line.startsWith("-"))
      hunk.lines.push({ kind: "removed", text: line.slice(1), before: before++, after: null });
    else if (line.startsWith(" ") || line === "")
      hunk.lines.push({ kind: "same", text: line.slice(1), before: before++, after: after++ });
  }
  return files;
}

/** Between a file's first line and its first hunk. */
function readHead(file: FilePatch, line: string): void {
  if (line.startsWith("+++ b/") || line.startsWith('+++ "b/')) file.path = unquoted(line.slice(4)).slice(2);
  else if (line.startsWith("--- a/") || line.startsWith('--- "a/')) file.path = unquoted(line.slice(4)).slice(2);
  else if (
    /^(?:Binary files|new file mode|deleted file mode|old mode|new mode|rename (?:from|to)|similarity)/.test(line)
  )
    file.notes.push(line);
}

/** `diff --git a/x b/x`: both halves are the same, but for a rename, of which the head tells more. */
function headPath(line: string): string {
  const paths = line.slice("diff --git ".length);
  if (paths.startsWith('"')) return unquoted(paths.slice(0, paths.indexOf('" ') + 1)).slice(2);
  const half = paths.slice(0, (paths.length - 1) / 2);
  return paths === `${half} b/${half.slice(2)}` ? half.slice(2) : paths.slice(paths.lastIndexOf(" b/") + 3);
}

/** Git writes bytes of UTF-8 in quotes, in octal. */
function unquoted(path: string): string {
  const text = path.endsWith("\t") ? path.slice(0, -1) : path;
  if (!text.startsWith('"')) return text;
  const bytes: number[] = [];
  const inner = text.slice(1, -1);
  for (let index = 0; index < inner.length; index += 1) {
    const octal = inner[index] === "\\" ? /^[0-7]{3}/.exec(inner.slice(index + 1, index + 4))?.[0] : undefined;
    if (octal !== undefined) {
      bytes.push(Number.parseInt(octal, 8));
      index += 3;
    } else if (inner[index] === "\\") {
      index += 1;
      bytes.push(...new TextEncoder().encode(ESCAPES[inner[index] ?? ""] ?? inner[index] ?? ""));
    } else bytes.push(...new TextEncoder().encode(inner[index] ?? ""));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r" };
