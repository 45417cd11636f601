/**
 * A connector's server as the sandbox sees it, over Streamable HTTP: with the connector's credential, the tools that the routine
 * allows, and an answer to each request, also where the server gives none.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
import type { LeaseRef } from "#protocol/runner-link.ts";
import { judgeMessages } from "#rules/connectors/client-messages.ts";
import { answerInWords, errorMessage, isRequest, type Message, RPC_CODES } from "#rules/connectors/json-rpc.ts";
import { standInAnswers } from "#rules/connectors/stand-in.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { isNestedDeeper } from "#worker/http/nesting.ts";
import { readBytes } from "#worker/http/read-bytes.ts";
import { readLease } from "../authorize.ts";
import { renderToAgent, tellRefusal } from "../render-to-agent.ts";
import { NESTING_LIMIT, type ServerAnswer } from "./ask-server.ts";
import { type EventOptions, eventAnswer } from "./event-answer.ts";
import { ServerCall } from "./server-call.ts";
import { openedSession, STAND_IN } from "./session-ids.ts";

const LIMIT_BYTES = 4_194_304;
/** A call that takes longer is answered by a stream, on which comments tell that it goes on. */
const SOON_MS = 15_000;
const CALL_LASTS_MS = 3_600_000;
const LISTEN_LASTS_MS = 3_600_000;
const SILENT_MS = 900_000;
const SESSION_HEADER = "mcp-session-id";
/** The first request of each revision: by it an agent's program decides whether it has the server. */
const BEGINS = ["initialize", "server/discover"];

/** `POST`, `GET`, `DELETE /proxy/{run_id}/mcp/{name}`. */
export async function proxyMcp(c: HttpContext): Promise<Response> {
  const leased = await readLease(c);
  if (!leased.ok) return renderToAgent(c, leased.refusal);
  const begun = await ServerCall.begin(c, leased.value, c.req.param("name") ?? "");
  if (!begun.ok) {
    await tellRefusal(c, leased.value, begun.refusal);
    return renderToAgent(c, begun.refusal);
  }
  const session = await sessionOf(c, leased.value, begun.value);
  if (session === "foreign") return noSession();
  if (c.req.method === "POST") return post(c, begun.value, session);
  return c.req.method === "GET" ? listen(c, begun.value, session) : end(begun.value, session);
}

/** @returns the server's own id; null where none is named. */
async function sessionOf(c: HttpContext, lease: LeaseRef, call: ServerCall): Promise<string | null | "foreign"> {
  const bound = c.req.header(SESSION_HEADER);
  if (bound === undefined) return null;
  const of = { lease, connectorId: call.connector?.id ?? "" };
  return (await openedSession(c.var.deps.config.signingKeys, of, bound)) ?? "foreign";
}

/** As a server answers whose session has ended: the agent's program begins another. */
function noSession(): Response {
  return Response.json(errorMessage(null, RPC_CODES.invalidRequest, "There is no such session."), { status: 404 });
}

async function post(c: HttpContext, call: ServerCall, session: string | null): Promise<Response> {
  const read = await readBytes(c.req.raw, LIMIT_BYTES);
  if (!read.ok) return renderToAgent(c, read.refusal);
  const mirrored = { method: c.req.header("mcp-method") ?? null, name: c.req.header("mcp-name") ?? null };
  const text = new TextDecoder().decode(read.value);
  const judged = judgeMessages(isNestedDeeper(text, NESTING_LIMIT) ? "" : text, call.name, call.access, mirrored);
  if (!judged.ok) {
    if (judged.refused !== null) call.tell("connector_tool_refused", judged.refused);
    return Response.json(judged.body, { status: judged.refused === null ? 400 : 200 });
  }
  const { messages } = judged;
  if (session === STAND_IN) return standIn(call, messages, lastWords(call));
  const tools = messages.flatMap(toolCalled);
  const answer = call.ask({ method: "POST", body: judged.text, isLong: tools.length > 0 }, session);
  const streams = tools.length > 0 && (c.req.header("accept") ?? "").includes("text/event-stream");
  const soon = streams ? await Promise.race([answer, scheduler.wait(SOON_MS)]) : await answer;
  if (soon === undefined || soon.kind === "events") return stream(c, call, { answer, messages, tools, session });
  call.noteCalls(tools, soon.kind !== "fault");
  return whole(call, messages, soon, session);
}

/** An answer that is there as a whole. */
async function whole(
  call: ServerCall,
  messages: readonly Message[],
  answer: Exclude<ServerAnswer, { kind: "events" }>,
  session: string | null,
): Promise<Response> {
  const begins = messages.some(({ method = "" }) => BEGINS.includes(method));
  // An older server may refuse what it does not know in any way: `initialize` comes next, and tells.
  const isProbe = messages.every(({ method }) => method === "server/discover");
  if (answer.kind === "fault") {
    if (!isProbe) call.noteFault(answer);
    const words = call.faultWords(answer);
    return begins
      ? standIn(call, messages, words)
      : rendered(messages.filter(isRequest).map((one) => answerInWords(one, words)));
  }
  if (begins && !isProbe) call.noteReady();
  const headers = answer.session === null ? {} : { [SESSION_HEADER]: await call.bound(answer.session) };
  if (answer.kind === "messages") {
    const passed = call.filtered(answer.value, answer.session ?? session);
    return rendered(passed, { status: answer.status, headers });
  }
  if (answer.status === 404 && session !== null) return noSession();
  const waiting = messages.filter(isRequest);
  if (waiting.length === 0) return new Response(null, { status: 202, headers });
  const words = `The connector ${call.name} gave no answer: its server answered ${answer.status} without a message.`;
  return rendered(
    waiting.map((one) => answerInWords(one, words)),
    { status: answer.status < 400 ? 200 : answer.status, headers },
  );
}

/** One message as it is, several as a list; where there is none to tell, it was taken. */
function rendered(messages: readonly unknown[], init: ResponseInit = {}): Response {
  const { status, ...rest } = init;
  if (messages.length === 0) return new Response(null, { ...rest, status: 202 });
  return Response.json(messages.length === 1 ? messages[0] : messages, init);
}

async function stream(
  c: HttpContext,
  call: ServerCall,
  of: { answer: Promise<ServerAnswer>; messages: readonly Message[]; tools: readonly string[]; session: string | null },
): Promise<Response> {
  const { answer, messages, tools, session } = of;
  // A call's answer that is late begins no session.
  const known = tools.length > 0 ? null : await answer;
  const begun = known?.kind === "events" ? known.session : null;
  if (messages.some(({ method = "" }) => BEGINS.includes(method))) call.noteReady();
  return events(c, answer, begun === null ? {} : { [SESSION_HEADER]: await call.bound(begun) }, {
    filter: (value) => call.filtered(value, begun ?? session),
    waiting: messages.filter(isRequest),
    inWords: (words, waiting) => {
      const fault = { kind: "fault", status: "unreachable", words } as const;
      call.noteFault(fault);
      return waiting.map((one) => answerInWords(one, call.faultWords(fault)));
    },
    onEnd: (isUsed) => call.noteCalls(tools, isUsed),
    signal: c.req.raw.signal,
    lastsMs: CALL_LASTS_MS,
    silentMs: SILENT_MS,
  });
}

/** What a server says by itself. */
async function listen(c: HttpContext, call: ServerCall, session: string | null): Promise<Response> {
  if (session === STAND_IN) return new Response(null, { status: 405 });
  const answer = await call.ask({ method: "GET", body: null, isLong: false }, session);
  if (answer.kind !== "events") {
    return answer.kind === "empty" && answer.status === 404 ? noSession() : new Response(null, { status: 405 });
  }
  return events(
    c,
    Promise.resolve(answer),
    {},
    {
      filter: (value) => call.filtered(value, session),
      waiting: [],
      inWords: () => [],
      onEnd: () => {},
      signal: c.req.raw.signal,
      lastsMs: LISTEN_LASTS_MS,
      silentMs: SILENT_MS,
    },
  );
}

function events(
  c: HttpContext,
  answer: Promise<ServerAnswer>,
  more: Record<string, string>,
  options: EventOptions,
): Response {
  const { stream: body, done } = eventAnswer(answer, options);
  c.executionCtx.waitUntil(done);
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-cache", ...more } });
}

/** The agent ends its session. */
async function end(call: ServerCall, session: string | null): Promise<Response> {
  if (session === STAND_IN) return new Response(null, { status: 204 });
  const answer = await call.ask({ method: "DELETE", body: null, isLong: false }, session);
  if (answer.kind === "events") await answer.body.cancel().catch(() => undefined);
  return new Response(null, { status: answer.kind === "empty" && answer.status >= 400 ? answer.status : 204 });
}

async function standIn(call: ServerCall, messages: readonly Message[], words: string): Promise<Response> {
  const { name: connector, access } = call;
  const answers = standInAnswers(messages, { connector, words, tools: call.connector?.tools ?? [], access });
  call.noteCalls(messages.flatMap(toolCalled), false);
  const begins = messages.some(({ method }) => method === "initialize");
  return rendered(answers, begins ? { headers: { [SESSION_HEADER]: await call.bound(STAND_IN) } } : {});
}

function lastWords({ name, connector }: ServerCall): string {
  const why = connector?.status_detail ?? "";
  return `The connector ${name} could not be used when this session with it began. ${why} A person has to mend it; nothing was done there.`.replace(
    "  ",
    " ",
  );
}

function toolCalled({ method, params }: Message): string[] {
  const name: unknown = params?.["name"];
  return method === "tools/call" && typeof name === "string" ? [name] : [];
}
