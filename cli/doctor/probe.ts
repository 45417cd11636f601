/**
 * Has an agent of the instance try the walls around it: a routine is made for it, run once, and deleted. The model is asked, and the
 * run costs what a short run costs.
 */
import { z } from "zod";
import type { Finding } from "#protocol/diagnosis.ts";
import { settledStatuses } from "#protocol/run-states.ts";
import { judgeProbe, PROBE_COMMAND } from "./probe-command.ts";

export interface ProbeParts {
  url: string;
  token: string;
  ask(url: string, init: RequestInit): Promise<Response>;
  pause(ms: number): Promise<void>;
  now(): number;
}

const CALL_MS = 20_000;
const RUN_MS = 15 * 60_000;
const POLL_MS = 2_000;
const PROMPT = `This checks the sandbox that you work in, on behalf of its operators. Run the following command once with the Bash tool, exactly as it is, and change nothing in it. Then report the result "done", whatever the command printed. Do nothing else.

${PROBE_COMMAND}`;

const madeSchema = z.looseObject({ id: z.string() });
const admittedSchema = z.looseObject({ run_id: z.string() });
const runSchema = z.looseObject({
  status: z.string(),
  session_id: z.string(),
  error: z.looseObject({ message: z.string() }).nullish(),
});
const SETTLED: readonly string[] = settledStatuses;
const eventsSchema = z.looseObject({ data: z.array(z.looseObject({ type: z.string() })) });
const resultSchema = z.looseObject({ text: z.string() });

/** @returns what it found of each wall; or, where it could not be run, why. */
export async function probe(parts: ProbeParts): Promise<Finding[]> {
  let routine: string | null = null;
  try {
    const body = { name: "doctor probe", prompt: PROMPT, repositories: [], limits: { timeout: "10m", turns: 6 } };
    routine = madeSchema.parse(await call(parts, "POST", "/api/v1/routines", body)).id;
    const { run_id } = admittedSchema.parse(await call(parts, "POST", `/api/v1/routines/${routine}/run`, {}));
    const path = `/api/v1/sessions/${await sessionOnceDone(parts, run_id)}/events?limit=1000`;
    return judgeProbe(readTold(eventsSchema.parse(await call(parts, "GET", path)).data));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ check: "probe", status: "unknown", message: `The probe could not be run: ${why}`, hint: null }];
  } finally {
    if (routine !== null) await call(parts, "DELETE", `/api/v1/routines/${routine}`).catch(() => {});
  }
}

/** @returns the session of the run, once that has succeeded. */
async function sessionOnceDone(parts: ProbeParts, runId: string): Promise<string> {
  const untilMs = parts.now() + RUN_MS;
  for (;;) {
    const { status, session_id, error } = runSchema.parse(await call(parts, "GET", `/api/v1/runs/${runId}`));
    if (status === "succeeded") return session_id;
    if (SETTLED.includes(status)) throw new Error(`its run ${status}: ${error?.message ?? "no reason is told"}`);
    if (parts.now() >= untilMs) throw new Error(`its run is ${status} after ${RUN_MS / 60_000} minutes.`);
    await parts.pause(POLL_MS);
  }
}

/** What the command printed, as the tool's result in the transcript. */
function readTold(events: readonly unknown[]): Record<string, unknown> {
  for (const event of events) {
    const text = resultSchema.safeParse(event);
    const json = text.success ? /^probe:(\{.*\})$/m.exec(text.data.text)?.[1] : undefined;
    if (json !== undefined) return z.record(z.string(), z.unknown()).parse(JSON.parse(json));
  }
  throw new Error("the agent has not run its command, or the command printed nothing: look at the run's transcript.");
}

async function call({ url, token, ask }: ProbeParts, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await ask(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(CALL_MS),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path.split("?")[0]} answered ${answer.status}: ${text.slice(0, 200)}`);
  return text === "" ? null : JSON.parse(text);
}
