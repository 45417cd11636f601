/** Notes of a routine, for the runner of an attempt that is on: its agent reads and writes them by the runner's tools. */
import { verifyAttemptToken } from "#instance/attempt-token.ts";
import { type Result, refuse } from "#protocol/errors.ts";
import { noteInputSchema } from "#protocol/note.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { bearerToken } from "../auth/credentials.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { readJson } from "../http/read-json.ts";
import { renderRefusal } from "../http/render-error.ts";

const ALL = "/runner/runs/:run_id/notes";
const ONE = `${ALL}/:name{[A-Za-z0-9][A-Za-z0-9._-]*}`;

export function mountRunnerNotes(app: App): void {
  const serve = (ask: (c: HttpContext, lease: LeaseRef) => Promise<Result<unknown>>) => async (c: HttpContext) => {
    const lease = await leaseOf(c);
    const answer = lease === null ? refuse("runner_refused", { field: "Authorization" }) : await ask(c, lease);
    return answer.ok ? Response.json(answer.value) : renderRefusal(c, answer.refusal);
  };
  const ownerOf = (c: HttpContext, { run_id }: LeaseRef) => c.var.deps.ownerOf(run_id);
  app.get(
    ALL,
    serve((c, lease) => ownerOf(c, lease).notesForRun(lease)),
  );
  app.get(
    ONE,
    serve((c, lease) => ownerOf(c, lease).readNoteForRun(lease, nameIn(c))),
  );
  app.delete(
    ONE,
    serve((c, lease) => ownerOf(c, lease).removeNoteForRun(lease, nameIn(c))),
  );
  app.put(
    ONE,
    serve(async (c, lease) => {
      const body = await readJson(c.req.raw);
      if (!body.ok) return body;
      const parsed = noteInputSchema.safeParse(body.value);
      if (!parsed.success) return { ok: false, refusal: schemaRefusal(noteInputSchema, body.value, parsed.error) };
      return ownerOf(c, lease).writeNoteForRun(lease, nameIn(c), parsed.data);
    }),
  );
}

async function leaseOf(c: HttpContext): Promise<LeaseRef | null> {
  const token = bearerToken(c.req.header("authorization")) ?? "";
  const lease = await verifyAttemptToken(c.var.deps.config.signingKeys, "link", token);
  return lease?.run_id === c.req.param("run_id") ? lease : null;
}

function nameIn(c: HttpContext): string {
  return c.req.param("name") ?? "";
}
