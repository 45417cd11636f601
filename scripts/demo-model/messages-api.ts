/**
 * The wire format of the Anthropic Messages API, as a server on loopback whose replies somebody else decides: the
 * offline demo model's script, or a test.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type MessagesRequest, messagesRequestSchema } from "./messages-request.ts";
import { type MessagePlan, planUsage, replyBlocks, replyEvents, replyMessage } from "./reply-wire.ts";

const BODY_LIMIT_BYTES = 64 * 1_048_576;

/** What to answer to one request. */
export type ReplyPlan =
  /** With `beforeDelta`, each delta of a stream waits for it. @param index counts the deltas of the reply. */
  | ({ kind: "message"; beforeDelta?: (index: number) => Promise<void> } & MessagePlan)
  | { kind: "error"; status: number; type: string; message: string; headers?: Record<string, string> }
  /** No end: nothing at all (`nothing`), or a stream that stops after it began (`stream`), until the caller goes away. */
  | { kind: "hang"; after: "nothing" | "stream" };

export interface MessagesServerOptions {
  /** Decides the reply. A rejection is answered with a 500 `api_error`. */
  reply: (request: MessagesRequest) => ReplyPlan | Promise<ReplyPlan>;
  /** Draws the part of message and tool-call ids that makes them unique; 12 characters or more. */
  drawId?: () => string;
  /** 0, or absent: a free port. */
  port?: number;
}

export interface MessagesServer {
  /** `http://127.0.0.1:<port>`: what ANTHROPIC_BASE_URL is set to. */
  url: string;
  /** Cuts the connections that are open, too. */
  close: () => Promise<void>;
}

/** Starts the server on 127.0.0.1. It serves any number of conversations at once and remembers none. */
export async function createMessagesServer({
  reply,
  drawId = drawRandomId,
  port = 0,
}: MessagesServerOptions): Promise<MessagesServer> {
  const server = createServer((request, response) => {
    // A caller that goes away in the middle of a stream is no fault of this server.
    answer(request, response, reply, drawId).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${boundPort}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  reply: MessagesServerOptions["reply"],
  drawId: () => string,
): Promise<void> {
  response.setHeader("request-id", `req_${drawId()}`);
  const path = new URL(request.url ?? "/", "http://loopback").pathname;
  if (path !== "/v1/messages" && path !== "/v1/messages/count_tokens") {
    return sendError(response, 404, "not_found_error", "There is nothing at this address.");
  }
  if (request.method !== "POST") return sendError(response, 405, "invalid_request_error", "Only POST is served here.");
  const text = await readBody(request);
  if (text === null) return sendError(response, 413, "request_too_large", "The body is too large.");
  const parsed = parseRequest(text);
  if (!parsed.ok) return sendError(response, 400, "invalid_request_error", parsed.message);
  if (path === "/v1/messages/count_tokens") return sendJson(response, 200, { input_tokens: countTokens(text) });
  const plan = await plannedReply(reply, parsed.request);
  if (plan.kind === "error") {
    for (const [name, value] of Object.entries(plan.headers ?? {})) response.setHeader(name, value);
    return sendError(response, plan.status, plan.type, plan.message);
  }
  if (plan.kind === "hang") return hang(response, plan.after);
  const usage = planUsage(plan, countTokens(text));
  const { stopReason } = plan;
  const blocks = replyBlocks(plan, drawId);
  const message = { id: `msg_${drawId()}`, model: parsed.request.model, blocks, usage, stopReason };
  if (plan.startDelayMs !== undefined) await pause(response, plan.startDelayMs);
  if (parsed.request.stream !== true) return sendJson(response, 200, replyMessage(message));
  openStream(response);
  let deltas = 0;
  for (const { name, data, isDelta } of replyEvents(message)) {
    if (response.destroyed) return;
    if (isDelta && plan.deltaDelayMs !== undefined) await pause(response, plan.deltaDelayMs);
    if (isDelta) await plan.beforeDelta?.(deltas++);
    response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }
  response.end();
}

async function plannedReply(reply: MessagesServerOptions["reply"], request: MessagesRequest): Promise<ReplyPlan> {
  try {
    return await reply(request);
  } catch (error) {
    return {
      kind: "error",
      status: 500,
      type: "api_error",
      message: error instanceof Error ? error.message : "failed",
    };
  }
}

function parseRequest(text: string): { ok: true; request: MessagesRequest } | { ok: false; message: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, message: "The body is not valid JSON." };
  }
  const parsed = messagesRequestSchema.safeParse(json);
  if (parsed.success) return { ok: true, request: parsed.data };
  const [issue] = parsed.error.issues;
  return { ok: false, message: `${issue?.path.join(".") ?? "body"}: ${issue?.message ?? "is not valid"}` };
}

/** @returns the body, or null when it is over the limit. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Roughly four characters make a token; nobody pays for these. */
function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

function openStream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
}

/** Waits, or less when the caller goes away. */
async function pause(response: ServerResponse, ms: number): Promise<void> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once("close", onClose);
  await delay(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  response.off("close", onClose);
}

async function hang(response: ServerResponse, after: "nothing" | "stream"): Promise<void> {
  if (after === "stream") {
    openStream(response);
    response.write(": waiting\n\n");
  }
  if (!response.destroyed) await new Promise((resolve) => response.once("close", resolve));
}

function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  sendJson(response, status, { type: "error", error: { type, message } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function drawRandomId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 24);
}
