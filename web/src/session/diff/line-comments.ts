/** Comments on lines of a change: collected in this browser, until they go with the next message as what is quoted in it. */

export interface LineComment {
  id: string;
  repository: string;
  branch: string | null;
  path: string;
  /** In the file as the change leaves it, or, of a removed line, as it was before. */
  line: number;
  side: "after" | "before";
  /** The line itself. */
  code: string;
  text: string;
}

const KEY = "reveille:comments:";
const NONE: readonly LineComment[] = [];

export class LineComments {
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  #comments: readonly LineComment[];

  constructor(sessionId: string) {
    this.#key = KEY + sessionId;
    this.#comments = read(this.#key);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly all = (): readonly LineComment[] => this.#comments;

  add(comment: Omit<LineComment, "id">): void {
    this.#set([...this.#comments, { ...comment, id: crypto.randomUUID() }]);
  }

  remove(id: string): void {
    this.#set(this.#comments.filter((comment) => comment.id !== id));
  }

  clear(): void {
    this.#set(NONE);
  }

  #set(comments: readonly LineComment[]): void {
    this.#comments = comments;
    write(this.#key, comments);
    for (const listener of this.#listeners) listener();
  }
}

/** Pure: a message with the comments that go with it, each with the place and the line that it is about. */
export function withComments(text: string, comments: readonly LineComment[]): string {
  if (comments.length === 0) return text;
  const quoted = comments.map(({ repository, branch, path, line, side, code, text: said }) => {
    const where = branch === null ? repository : `${repository}, ${branch}`;
    const what = side === "before" ? "removed line" : "line";
    return `${path}, ${what} ${line} (${where}):\n> ${code}\n${said}`;
  });
  const about = `Comments on the changes:\n\n${quoted.join("\n\n")}`;
  return text.trim() === "" ? about : `${text}\n\n${about}`;
}

function read(key: string): readonly LineComment[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isComment) : NONE;
  } catch {
    return NONE;
  }
}

function isComment(value: unknown): value is LineComment {
  if (typeof value !== "object" || value === null) return false;
  const { id, repository, branch, path, line, code, text } = value as Partial<Record<keyof LineComment, unknown>>;
  const texts = [id, repository, path, code, text];
  return texts.every((each) => typeof each === "string") && typeof line === "number" && branch !== undefined;
}

/** Where a browser keeps nothing, they last as long as the page. */
function write(key: string, comments: readonly LineComment[]): void {
  try {
    if (comments.length === 0) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(comments));
  } catch {
    // Full, or not allowed.
  }
}
