/** After the upload: until the new version answers and is ready, and the link with which its owner signs in. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { healthSchema } from "#protocol/api.ts";
import { errorBodySchema } from "#protocol/errors.ts";
import { callApi, outcomeOf } from "#scripts/instance/api.ts";
import { failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";

/** A new address at workers.dev takes a while to be known everywhere. */
const READY_DEADLINE_MS = 3 * 60_000;
const CALL_DEADLINE_MS = 10_000;
const PAUSE_MS = 1_000;
const CODE_DEADLINE_MS = 30_000;

export interface ReadyOptions {
  url: string;
  /** The version that has to answer: for a while the one before still may. */
  versionId: string;
  deadlineMs?: number;
}

export async function awaitReady({
  url,
  versionId,
  deadlineMs = READY_DEADLINE_MS,
}: ReadyOptions): Promise<Outcome<null>> {
  const deadline = AbortSignal.timeout(deadlineMs);
  let last = "";
  while (!deadline.aborted) {
    last = await whyNotReady(url, versionId);
    if (last === "") return succeeded(null);
    await delay(PAUSE_MS, undefined, { signal: deadline }).catch(() => undefined);
  }
  return failed(`${url}/readyz: ${last}`);
}

/** @returns an empty text when it is ready. */
async function whyNotReady(url: string, versionId: string): Promise<string> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(CALL_DEADLINE_MS) });
    const body = parseJson(await response.text());
    const health = healthSchema.safeParse(body);
    if (response.ok && health.success) {
      return health.data.deployment === versionId ? "" : "the version before still answers";
    }
    const refusal = errorBodySchema.safeParse(body);
    if (!refusal.success) return `it answers ${response.status}, and not as Reveille does`;
    const { message, details } = refusal.data.error;
    const issues = (details?.issues ?? []).map((issue) => `${issue.field}: ${issue.message}`);
    return [message, ...issues].join("\n  ");
  } catch (error) {
    return `no answer (${error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)})`;
  }
}

/** @returns an address that signs a browser in once, within ten minutes; null where the token is not the one in force. */
export async function makeSignInLink(url: string, ownerToken: string): Promise<Outcome<string | null>> {
  const asked = await callApi(
    url,
    { method: "POST", path: "/api/v1/sign-in/codes", token: ownerToken, answer: z.object({ code: z.string() }) },
    AbortSignal.timeout(CODE_DEADLINE_MS),
  );
  if (asked.kind === "refused" && asked.status === 401) return succeeded(null);
  const made = outcomeOf("Making a sign-in link", asked);
  return made.ok ? succeeded(`${url}/#code=${made.value.code}`) : made;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
