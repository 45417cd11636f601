/** What fire and run now have in common: the key against repeats, and what identifies the request's meaning. */

import { hashSecret } from "#instance/secrets.ts";
import { type ApiErrorCode, type Result, success } from "#protocol/errors.ts";
import { admissionSchema, type TriggerType, type Wake } from "#protocol/occurrence.ts";
import type { HttpContext } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";
import { OCCURRENCE_ID, RUN_ID, SESSION_ID } from "../http/openapi/examples/ids.ts";
import { idempotencyHeader, readIdempotencyKey } from "./idempotency.ts";

export const IDEMPOTENCY_HEADER = idempotencyHeader("run");

/** For what admission, and the limit before it, refuse whoever asks for a run. */
export const ADMISSION_REFUSALS = [
  "overlap_skipped",
  "queue_full",
  "model_not_configured",
  "budget",
  "idempotency_key_reused",
  "instance_rate_limited",
] as const satisfies readonly ApiErrorCode[];

/** What is answered to whoever asks for a run by hand. */
export const runNowAnswer = withExample(admissionSchema.meta({ id: "RunNowAnswer" }), {
  occurrence_id: OCCURRENCE_ID,
  run_id: RUN_ID,
  session_id: SESSION_ID,
  duplicate: false,
});

/** @returns the event that goes to admission, or the refusal that names the header. */
export async function wakeOf(
  c: HttpContext,
  type: TriggerType,
  summary: string,
  givenText: string | undefined,
): Promise<Result<Wake>> {
  const sent = readIdempotencyKey(c);
  if (!sent.ok) return sent;
  const key = sent.value;
  const text = givenText ?? null;
  const event = {
    type,
    trigger_id: null,
    summary,
    text,
    content_key: null,
    depth: 0,
    checkout: null,
    request_id: c.var.requestId,
    delivery_id: null,
    call_id: crypto.randomUUID(),
  };
  if (key === null) return success({ ...event, dedupe_key: null, fingerprint: "" });
  // Bodies that mean the same, for instance none and `{}`, have the same fingerprint.
  return success({ ...event, dedupe_key: key, fingerprint: await hashSecret(JSON.stringify(text)) });
}
