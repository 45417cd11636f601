/** The lines of an export: read page by page, from one routine after the other, until an answer has made as many calls as it may. */
import { EVENTS_PAGE_LIMIT, PAGE_LIMIT, type Page, type PageRequest } from "#protocol/api.ts";
import { errorAnswer, type Result } from "#protocol/errors.ts";
import type { ExportedLine } from "#protocol/export.ts";
import { logTrouble } from "#protocol/log.ts";
import type { Session } from "#protocol/session.ts";
import type { Deps } from "../deps.ts";

export type ExportDeps = Pick<
  Deps,
  "ownerOf" | "index" | "deadLetters" | "notifications" | "environments" | "connectors" | "signIns"
>;

/** What is read of a routine, in this order. */
export const EXPORT_STAGES = [
  "routine",
  "revisions",
  "notes",
  "dead_letters",
  "notifications",
  "occurrences",
  "runs",
  "sessions",
] as const;
type Stage = (typeof EXPORT_STAGES)[number];

/** Where an export goes on: within a routine, after what was last read. */
export interface ExportCursor {
  routineId: string;
  stage: Stage;
  /** Of the stage's own list; empty at its beginning. */
  after: string;
}

/** Calls to objects and D1: a request may make a bounded number. A session that has been begun is read to its end. */
const CALLS_AT_MOST = 400;
/** Sessions are read one by one, so that an answer ends soon after it has made its calls. */
const SESSIONS_AT_ONCE = 1;

interface Budget {
  calls: number;
}

/** All routines, with what the instance has beside them. @param from null for the beginning. */
export async function* instanceLines(
  deps: ExportDeps,
  from: ExportCursor | null,
): AsyncGenerator<ExportedLine[], void> {
  const budget = { calls: 0 };
  if (from === null) yield* besideRoutines(deps, budget);
  let cursor = from ?? (await firstAfter(deps, ""));
  while (cursor !== null) {
    const rest: ExportCursor | null = yield* orNamed(routineLines(deps, cursor, budget), cursor.routineId, null);
    cursor = rest ?? (await firstAfter(deps, cursor.routineId));
    if (cursor !== null && budget.calls >= CALLS_AT_MOST) break;
  }
  yield [end(cursor)];
}

/** One routine. */
export async function* oneRoutineLines(deps: ExportDeps, from: ExportCursor): AsyncGenerator<ExportedLine[], void> {
  yield [end(yield* routineLines(deps, from, { calls: 0 }))];
}

/** Of all lines those that name somebody, what could not be read, and the last. @param signIn an id, which nothing else is. */
export async function* naming(
  lines: AsyncGenerator<ExportedLine[], void>,
  signIn: string,
): AsyncGenerator<ExportedLine[], void> {
  for await (const some of lines) {
    const named = some.filter(
      (line) => line.type === "end" || line.type === "unread" || JSON.stringify(line).includes(`"${signIn}"`),
    );
    if (named.length > 0) yield named;
  }
}

export function cursorText({ routineId, stage, after }: ExportCursor): string {
  return `${routineId}.${stage}.${after}`;
}

function end(rest: ExportCursor | null): ExportedLine {
  return { type: "end", next_cursor: rest === null ? null : cursorText(rest) };
}

async function firstAfter({ index }: ExportDeps, routineId: string): Promise<ExportCursor | null> {
  const [next] = await index.ids(routineId, 1);
  return next === undefined ? null : { routineId: next, stage: "routine", after: "" };
}

async function* besideRoutines(deps: ExportDeps, budget: Budget): AsyncGenerator<ExportedLine[], void> {
  const { environments, connectors, signIns } = deps;
  const all = async function* <Item>(
    list: (page: PageRequest) => Promise<Page<Item>>,
    line: (item: Item) => ExportedLine,
  ) {
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Page<Item> = await list(pageAfter(cursor));
      budget.calls += 1;
      yield page.data.map(line);
      cursor = page.next_cursor;
    }
  };
  yield* all(
    (page) => signIns.list(page, null, Date.now()),
    (sign_in) => ({ type: "sign_in", sign_in }),
  );
  yield* all(
    (page) => environments.list(page),
    (environment) => ({ type: "environment", environment }),
  );
  yield* all(
    (page) => connectors.list(page),
    (connector) => ({ type: "connector", connector }),
  );
}

/** One that can't be read stops no other: it is named in its place. @returns what the lines return; null where they break off. */
async function* orNamed<Rest>(
  lines: AsyncGenerator<ExportedLine[], Rest>,
  routine_id: string,
  session_id: string | null,
): AsyncGenerator<ExportedLine[], Rest | null> {
  try {
    return yield* lines;
  } catch (error) {
    if (error instanceof Gone) throw error;
    logTrouble("not_exported", { routine_id }, error);
    const why = error instanceof Refused ? error.message : "It did not answer, or could not be read.";
    yield [{ type: "unread", routine_id, session_id, why }];
    return null;
  }
}

/** Whoever was asked has refused, and said why. */
class Refused extends Error {}

/** Whatever was read belonged to a routine or a session that has been deleted. */
class Gone extends Error {}

/** @returns where it goes on; null where it has come to its end, or the routine has been deleted. */
async function* routineLines(
  deps: ExportDeps,
  from: ExportCursor,
  budget: Budget,
): AsyncGenerator<ExportedLine[], ExportCursor | null> {
  try {
    return yield* livingLines(deps, from, budget);
  } catch (error) {
    // D1 lists a deleted routine until its last run has stopped; and one may be deleted between two answers.
    if (error instanceof Gone) return null;
    throw error;
  }
}

async function* livingLines(
  deps: ExportDeps,
  from: ExportCursor,
  budget: Budget,
): AsyncGenerator<ExportedLine[], ExportCursor | null> {
  const { routineId } = from;
  let { stage, after } = from;
  for (;;) {
    const { lines, next } = await read(deps, { routineId, stage, after }, budget);
    yield* lines;
    if (next === null) {
      const following = EXPORT_STAGES[EXPORT_STAGES.indexOf(stage) + 1];
      if (following === undefined) return null;
      stage = following;
    }
    after = next ?? "";
    if (budget.calls >= CALLS_AT_MOST) return { routineId, stage, after };
  }
}

interface Read {
  lines: AsyncIterable<ExportedLine[]> | Iterable<ExportedLine[]>;
  next: string | null;
}

async function read(deps: ExportDeps, { routineId, stage, after }: ExportCursor, budget: Budget): Promise<Read> {
  const owner = deps.ownerOf(routineId);
  const page = pageAfter(after);
  const routine_id = routineId;
  budget.calls += 1;
  switch (stage) {
    case "routine":
      return { lines: [[{ type: "routine", routine: whole(await owner.read()) }]], next: null };
    case "revisions":
      return paged(whole(await owner.revisions(page)), (revision) => ({ type: "revision", routine_id, revision }));
    case "notes":
      return { lines: notesOf(deps, routineId, budget), next: null };
    case "dead_letters": {
      const letters = await deps.deadLetters.list({ routineId, state: "all" }, page);
      return paged(letters, (dead_letter) => ({ type: "dead_letter", dead_letter }));
    }
    case "notifications": {
      const sent = await deps.notifications.list({ routineId, status: null }, page);
      return paged(sent, (notification) => ({ type: "notification", notification }));
    }
    case "occurrences":
      return paged(whole(await owner.occurrences(page)), (occurrence) => ({ type: "occurrence", occurrence }));
    case "runs":
      return paged(whole(await owner.runs(page)), (run) => ({ type: "run", run }));
    case "sessions": {
      const { data, next_cursor } = whole(await owner.sessions({ ...page, limit: SESSIONS_AT_ONCE }, "all"));
      return { lines: sessionsOf(deps, routineId, data, budget), next: next_cursor };
    }
  }
}

async function* notesOf(
  { ownerOf }: ExportDeps,
  routine_id: string,
  budget: Budget,
): AsyncGenerator<ExportedLine[], void> {
  for (const { name } of whole(await ownerOf(routine_id).notes()).data) {
    budget.calls += 1;
    const revisions = await ownerOf(routine_id).noteRevisions(name);
    // Removed meanwhile.
    if (revisions.ok) yield revisions.value.data.map((note): ExportedLine => ({ type: "note", routine_id, note }));
  }
}

async function* sessionsOf(
  deps: ExportDeps,
  routineId: string,
  sessions: Session[],
  budget: Budget,
): AsyncGenerator<ExportedLine[], void> {
  for (const session of sessions) {
    try {
      yield* orNamed(sessionLines(deps, session, budget), routineId, session.id);
    } catch (error) {
      // It has been deleted meanwhile, or has grown too old. Where that is true of the routine, what is read next says so.
      if (!(error instanceof Gone)) throw error;
    }
  }
}

async function* sessionLines(deps: ExportDeps, session: Session, budget: Budget): AsyncGenerator<ExportedLine[], void> {
  const session_id = session.id;
  const owner = deps.ownerOf(session_id);
  yield [{ type: "session", session }];
  budget.calls += 3;
  const diff = whole(await owner.readDiff());
  if (diff.run_id !== null) yield [{ type: "diff", diff }];
  const shown = whole(await owner.artifacts()).data;
  yield shown.map((artifact): ExportedLine => ({ type: "artifact", session_id, artifact }));
  const opened = whole(await owner.pullRequests()).data;
  yield opened.map((pull_request): ExportedLine => ({ type: "asked_pull_request", session_id, pull_request }));
  for (let after = 0; after < session.last_seq; ) {
    budget.calls += 1;
    const events = whole(await owner.events(after, EVENTS_PAGE_LIMIT.max)).data;
    const last = events.at(-1)?.seq;
    if (last === undefined) throw new Error("the transcript ends before its end");
    yield events.filter(({ seq }) => seq <= session.last_seq);
    after = last;
  }
}

function paged<Item>({ data, next_cursor }: Page<Item>, line: (item: Item) => ExportedLine): Read {
  return { lines: [data.map(line)], next: next_cursor };
}

function pageAfter(after: string): PageRequest {
  return { limit: PAGE_LIMIT.max, cursor: after === "" ? null : after };
}

function whole<Value>(read: Result<Value>): Value {
  if (!read.ok && read.refusal.code === "not_found") throw new Gone(read.refusal.code);
  if (!read.ok) throw new Refused(errorAnswer(read.refusal, "").body.error.message);
  return read.value;
}
