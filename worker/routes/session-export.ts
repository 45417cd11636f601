/** A session with its runs and its whole transcript, as JSON lines. */
import { EVENTS_PAGE_LIMIT, type Page } from "#protocol/api.ts";
import type { Result } from "#protocol/errors.ts";
import type { Run } from "#protocol/run.ts";
import type { ExportLine, Session } from "#protocol/session.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { JSON_LINES, jsonLines } from "../http/json-lines.ts";
import { SESSION_EXAMPLE } from "../http/openapi/examples/runs.ts";
import { sessionParams } from "./inputs.ts";

const PATH = "/api/v1/sessions/{id}/export";
/** How many whole runs are asked for at once. */
const RUNS_PAGE = 100;
const FIRST_LINE: ExportLine = { type: "session", session: SESSION_EXAMPLE };
const EXAMPLE = `${JSON.stringify(FIRST_LINE)}\n`;

export function mountSessionExport(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: PATH,
      tag: "Sessions",
      needs: "runs:read",
      params: sessionParams,
      id: "exportSession",
      summary: "Export a session as JSON lines",
      description:
        "The session, each of its runs, then the events of its transcript up to its last_seq: a line each. An answer that breaks off is not whole.",
      answer: { status: 200, files: [JSON_LINES], example: EXAMPLE },
    },
    async ({ c, params: { id } }) => {
      const { ownerOf } = c.var.deps;
      const session = await ownerOf(id).readSession();
      if (!session.ok) return session;
      const source: Source = {
        runs: (runIds) => ownerOf(id).sessionRuns(runIds),
        events: (after) => ownerOf(id).events(after, EVENTS_PAGE_LIMIT.max),
      };
      return jsonLines(partsOf(session.value, source), id, { request_id: c.var.requestId, route: PATH });
    },
  );
}

interface Source {
  runs: (runIds: readonly string[]) => Promise<Result<Run[]>>;
  /** A page of events after this one. */
  events: (after: number) => Promise<Result<Page<TranscriptEvent>>>;
}

/** Read page by page. It breaks off where the session is deleted meanwhile. */
async function* partsOf(session: Session, source: Source): AsyncGenerator<ExportLine[], void> {
  yield [{ type: "session", session }];
  for (let from = 0; from < session.runs.length; from += RUNS_PAGE) {
    const ids = session.runs.slice(from, from + RUNS_PAGE).map(({ id }) => id);
    const runs = whole(await source.runs(ids));
    if (runs.length < ids.length) throw new Error("a run of the session is not there");
    yield runs.map((run): ExportLine => ({ type: "run", run }));
  }
  for (let after = 0; after < session.last_seq; ) {
    const events = whole(await source.events(after)).data.filter(({ seq }) => seq <= session.last_seq);
    const last = events.at(-1)?.seq;
    if (last === undefined) throw new Error("the transcript ends before its end");
    yield events;
    after = last;
  }
}

function whole<Value>(read: Result<Value>): Value {
  if (!read.ok) throw new Error(read.refusal.code);
  return read.value;
}
