/** What a person does over HTTP, as verbs, for tests in workerd. */
import { exports } from "cloudflare:workers";
import type { Routine } from "#protocol/routine.ts";
import type { Run } from "#protocol/run.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { noteSaid } from "./canaries.ts";
import { dial, type TestSocket } from "./test-socket.ts";
import { noteRefusal } from "./told-refusals.ts";

export const OWNER_TOKEN = "owner-token-of-the-tests-0123456789abcdef";
const ORIGIN = "http://reveille.test";

export interface Answer<Body> {
  status: number;
  body: Body;
  headers: Headers;
}

/** @param ask who is asked: the worker of all tests, or one with other settings. */
export async function call<Body>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  ask: (request: Request) => Response | Promise<Response> = (request) => exports.default.fetch(request),
): Promise<Answer<Body>> {
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${OWNER_TOKEN}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await ask(request);
  const text = await response.text();
  noteSaid(`the answer to ${method} ${path}`, `${JSON.stringify([...response.headers])} ${text}`);
  noteRefusal(method, path, response.status, text);
  return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
}

async function must<Body>(status: number, asked: Promise<Answer<Body>>): Promise<Body> {
  const answer = await asked;
  if (answer.status !== status) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

let made = 0;

/** A routine with a fire token. Names are unique, so that tests that share a database don't meet. */
export async function buildRoutine(input: Record<string, unknown> = {}) {
  made += 1;
  const routine = await must(
    201,
    call<Routine>("POST", "/api/v1/routines", {
      name: `routine ${made}`,
      prompt: "Do the work.",
      triggers: [{ type: "api" }],
      ...input,
    }),
  );
  const { token } = await must(201, call<{ token: string }>("POST", `/api/v1/routines/${routine.id}/token`));
  return { ...routine, token };
}

export interface FireAnswer {
  type: string;
  claude_code_session_id: string;
  run_id: string;
  duplicate?: true;
}

export function fire(routine: { id: string; token: string }, body: unknown = {}, headers: Record<string, string> = {}) {
  return call<FireAnswer>("POST", `/v1/claude_code/routines/${routine.id}/fire`, body, {
    authorization: `Bearer ${routine.token}`,
    ...headers,
  });
}

/** Fires and expects to be let in. */
export function fired(routine: { id: string; token: string }, body?: unknown, headers?: Record<string, string>) {
  return must(200, fire(routine, body, headers));
}

export function readRun(runId: string): Promise<Run> {
  return must(200, call<Run>("GET", `/api/v1/runs/${runId}`));
}

/** The whole transcript, page by page. */
export async function readTranscript(sessionId: string, limit = 1_000): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  for (let after: string | null = "0"; after !== null; ) {
    const page: { data: TranscriptEvent[]; next_cursor: string | null } = await must(
      200,
      call("GET", `/api/v1/sessions/${sessionId}/events?after=${after}&limit=${limit}`),
    );
    events.push(...page.data);
    after = page.next_cursor;
  }
  return events;
}

export function watch(sessionId: string, after = 0): Promise<TestSocket> {
  return dial(`/api/v1/sessions/${sessionId}/live?after=${after}`, { authorization: `Bearer ${OWNER_TOKEN}` });
}

/** Durable events that a viewer has received, in the order in which they came. */
export function eventsOf(viewer: TestSocket): TranscriptEvent[] {
  return viewer.messages.flatMap((message) => {
    if (message.type === "events") return message["events"] as TranscriptEvent[];
    return "seq" in message && message.type !== "caught_up" ? [message as unknown as TranscriptEvent] : [];
  });
}
