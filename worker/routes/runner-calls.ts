/** What the runner of an attempt that is on asks beside its link: the routine's notes, a verdict on the run that has woken it, and to keep files that it shows and what it has changed. */
import { verifyAttemptToken } from "#instance/attempt-token.ts";
import { ARTIFACT_ID } from "#protocol/artifact.ts";
import { DIFF_LIMIT_BYTES, sentDiffSchema } from "#protocol/diff.ts";
import { type Result, refuse } from "#protocol/errors.ts";
import { NOTE_NAME, noteInputSchema } from "#protocol/note.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { verdictInputSchema } from "#protocol/verdict.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { bearerToken } from "../auth/credentials.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { readJson } from "../http/read-json.ts";
import { renderRefusal } from "../http/render-error.ts";
import { keepArtifact } from "./artifacts.ts";

const ALL = "/runner/runs/:run_id/notes";
const ONE = `${ALL}/:name{${inPath(NOTE_NAME)}}`;
const ARTIFACT = `/runner/runs/:run_id/artifacts/:artifact_id{${inPath(ARTIFACT_ID)}}`;

export function mountRunnerCalls(app: App): void {
  const serve = (ask: (c: HttpContext, lease: LeaseRef) => Promise<Result<unknown>>) => async (c: HttpContext) => {
    const lease = await leaseOf(c);
    const answer = lease === null ? refuse("runner_refused", { field: "Authorization" }) : await ask(c, lease);
    return answer.ok ? Response.json(answer.value) : renderRefusal(c, answer.refusal);
  };
  const ownerOf = (c: HttpContext, { run_id }: LeaseRef) => c.var.deps.ownerOf(run_id);
  app.put(ARTIFACT, serve(keepArtifact));
  app.put("/runner/runs/:run_id/diff", serve(keepDiff));
  app.put("/runner/runs/:run_id/verdict", serve(giveReview));
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

/** A pattern of a whole value, as a part of a path is matched. */
function inPath({ source }: RegExp): string {
  return source.replace(/^\^|\$$/g, "");
}

async function leaseOf(c: HttpContext): Promise<LeaseRef | null> {
  const token = bearerToken(c.req.header("authorization")) ?? "";
  const lease = await verifyAttemptToken(c.var.deps.config.signingKeys, "link", token);
  return lease?.run_id === c.req.param("run_id") ? lease : null;
}

/** What an attempt has changed, told once its agent has ended. */
async function keepDiff(c: HttpContext, lease: LeaseRef): Promise<Result<null>> {
  const body = await readJson(c.req.raw, DIFF_LIMIT_BYTES);
  if (!body.ok) return body;
  const parsed = sentDiffSchema.safeParse(body.value);
  if (!parsed.success) return { ok: false, refusal: schemaRefusal(sentDiffSchema, body.value, parsed.error) };
  return c.var.deps.ownerOf(lease.run_id).keepDiff(lease, parsed.data);
}

/** What the attempt's agent thinks of the run that has woken its own. */
async function giveReview(c: HttpContext, lease: LeaseRef): Promise<Result<null>> {
  const { ownerOf } = c.var.deps;
  const body = await readJson(c.req.raw);
  if (!body.ok) return body;
  const parsed = verdictInputSchema.safeParse(body.value);
  if (!parsed.success) return { ok: false, refusal: schemaRefusal(verdictInputSchema, body.value, parsed.error) };
  const review = await ownerOf(lease.run_id).reviewFor(lease);
  return review.ok ? ownerOf(review.value.runId).giveReview(parsed.data, review.value.by) : review;
}

function nameIn(c: HttpContext): string {
  return c.req.param("name") ?? "";
}
