/** What a routine's object lists of its own: revisions, occurrences, runs, sessions. */
import { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { occurrenceIdSchema, runIdSchema, sessionIdSchema } from "#protocol/ids.ts";
import { occurrenceSchema } from "#protocol/occurrence.ts";
import { revisionSchema } from "#protocol/routine.ts";
import { listedRunSchema } from "#protocol/run.ts";
import { archivedFilterSchema, sessionSchema } from "#protocol/session.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { pageQuery, routineParams, toPageRequest } from "./inputs.ts";

/** Also the page of `GET /api/v1/runs`. */
export const runPage = pageSchema(listedRunSchema).meta({ id: "RunPage" });
const revisionPage = pageSchema(revisionSchema).meta({ id: "RevisionPage" });
const occurrencePage = pageSchema(occurrenceSchema).meta({ id: "OccurrencePage" });
const sessionPage = pageSchema(sessionSchema).meta({ id: "SessionPage" });

const sessionsQuery = pageQuery(sessionIdSchema).extend({ archived: archivedFilterSchema.default("false") });

const base = "/api/v1/routines/{id}";
const list = { method: "get", tag: "Routines", needs: "routines:read", params: routineParams } as const;
const revisionNumber = z.string().regex(/^[1-9][0-9]{0,8}$/);

export function mountRoutineLists(app: App): void {
  endpoint(
    app,
    {
      ...list,
      path: `${base}/revisions`,
      id: "listRevisions",
      summary: "List a routine's revisions",
      query: pageQuery(revisionNumber),
      answer: { status: 200, schema: revisionPage },
    },
    async ({ c, params, query }) => c.var.deps.ownerOf(params.id).revisions(toPageRequest(query)),
  );
  endpoint(
    app,
    {
      ...list,
      path: `${base}/occurrences`,
      needs: "runs:read",
      id: "listOccurrences",
      summary: "List what happened to a routine, whether or not it started a run",
      query: pageQuery(occurrenceIdSchema),
      answer: { status: 200, schema: occurrencePage },
    },
    async ({ c, params, query }) => c.var.deps.ownerOf(params.id).occurrences(toPageRequest(query)),
  );
  endpoint(
    app,
    {
      ...list,
      path: `${base}/runs`,
      needs: "runs:read",
      id: "listRoutineRuns",
      summary: "List a routine's runs",
      query: pageQuery(runIdSchema),
      answer: { status: 200, schema: runPage },
    },
    async ({ c, params, query }) => c.var.deps.ownerOf(params.id).runs(toPageRequest(query)),
  );
  endpoint(
    app,
    {
      ...list,
      path: `${base}/sessions`,
      needs: "runs:read",
      id: "listRoutineSessions",
      summary: "List a routine's sessions",
      description: "Without those that are archived; archived=true lists those alone, and archived=all lists both.",
      query: sessionsQuery,
      answer: { status: 200, schema: sessionPage },
    },
    async ({ c, params, query }) => c.var.deps.ownerOf(params.id).sessions(toPageRequest(query), query.archived),
  );
}
