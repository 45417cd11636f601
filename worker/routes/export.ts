/** Exports of a routine, of the whole instance, and of what names one sign-in, as JSON lines. */
import { z } from "zod";
import type { ExportedLine } from "#protocol/export.ts";
import { routineIdSchema, signInIdSchema } from "#protocol/ids.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { JSON_LINES, jsonLines } from "../http/json-lines.ts";
import { EXPORT_STAGES, type ExportCursor, instanceLines, naming, oneRoutineLines } from "./export-lines.ts";
import { routineParams } from "./inputs.ts";

const LAST: ExportedLine = { type: "end", next_cursor: null };
const answer = { status: 200, files: [JSON_LINES], example: `${JSON.stringify(LAST)}\n` } as const;
const ROUTINE = "/api/v1/routines/{id}/export";
const INSTANCE = "/api/v1/export";

/** Of the line `end` of the answer before. */
const cursorField = z
  .string()
  .max(200)
  .transform((text, context): ExportCursor => {
    const [id, stage, after] = text.split(".");
    const routineId = routineIdSchema.safeParse(id);
    const known = EXPORT_STAGES.find((name) => name === stage);
    if (routineId.success && known !== undefined && after !== undefined && /^[A-Za-z0-9_]*$/.test(after)) {
      return { routineId: routineId.data, stage: known, after };
    }
    context.addIssue({ code: "custom", message: "must be the next_cursor of an export" });
    return z.NEVER;
  })
  .optional();

export function mountExport(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: ROUTINE,
      tag: "Routines",
      needs: "routines:write",
      params: routineParams,
      query: z.object({ cursor: cursorField }),
      id: "exportRoutine",
      summary: "Export all that a routine has as JSON lines",
      description:
        "The routine, its revisions, notes, dead letters, notifications, occurrences and runs, then each session with its transcript. A session that can't be read is named by a line unread. The last line is an end: where it has a next_cursor, the export goes on with that as cursor; an answer without it has broken off.",
      answer,
    },
    async ({ c, params: { id }, query }) => {
      const { deps } = c.var;
      const routine = await deps.ownerOf(id).read();
      if (!routine.ok) return routine;
      const { stage, after } = query.cursor ?? { stage: EXPORT_STAGES[0], after: "" };
      const lines = oneRoutineLines(deps, { routineId: id, stage, after });
      return jsonLines(lines, id, { request_id: c.var.requestId, route: ROUTINE });
    },
  );
  endpoint(
    app,
    {
      method: "get",
      path: INSTANCE,
      tag: "Instance",
      needs: "instance:admin",
      query: z.object({ cursor: cursorField, sign_in: signInIdSchema.optional() }),
      id: "exportInstance",
      summary: "Export all routines, or what names one sign-in, as JSON lines",
      description:
        "The sign-ins, environments and connectors, then each routine as its own export has it. A routine or a session that can't be read is named by a line unread, and the others follow. With sign_in only the lines that name that sign-in: what a person has changed, written, said, answered and judged in that browser.",
      answer,
    },
    async ({ c, query }) => {
      const lines = instanceLines(c.var.deps, query.cursor ?? null);
      const chosen = query.sign_in === undefined ? lines : naming(lines, query.sign_in);
      return jsonLines(chosen, "reveille", { request_id: c.var.requestId, route: INSTANCE });
    },
  );
}
