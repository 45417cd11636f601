/** What fire and run now have in common: the key against repeats, and what identifies the request's meaning. */

import { hashSecret } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { admissionSchema, IDEMPOTENCY_KEY_LIMIT, type TriggerType, type Wake } from "#protocol/occurrence.ts";
import type { HttpContext } from "../http/http-env.ts";

export const IDEMPOTENCY_HEADER = {
  name: "Idempotency-Key",
  description: `1 to ${IDEMPOTENCY_KEY_LIMIT} characters: the same key within 24 hours is the same run.`,
};

/** What is answered to whoever asks for a run by hand. */
export const runNowAnswer = admissionSchema.meta({ id: "RunNowAnswer" });

/** @returns the event that goes to admission, or the refusal that names the header. */
export async function wakeOf(
  c: HttpContext,
  type: TriggerType,
  summary: string,
  givenText: string | undefined,
): Promise<Result<Wake>> {
  const key = c.req.header(IDEMPOTENCY_HEADER.name);
  if (key !== undefined && (key.length === 0 || key.length > IDEMPOTENCY_KEY_LIMIT)) {
    const field = IDEMPOTENCY_HEADER.name;
    const message = `must be 1 to ${IDEMPOTENCY_KEY_LIMIT} characters`;
    return refuse("invalid_request", { message: `${field}: ${message}`, field, issues: [{ field, message }] });
  }
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
  if (key === undefined) return success({ ...event, dedupe_key: null, fingerprint: "" });
  // Bodies that mean the same, for instance none and `{}`, have the same fingerprint.
  return success({ ...event, dedupe_key: key, fingerprint: await hashSecret(JSON.stringify(text)) });
}
