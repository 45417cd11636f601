/** Asks a connector's server for a run, with the connector's credential, and turns whatever it answers into one of few things. */
import type { OutsideOptions } from "#instance/connectors/ask-outside.ts";
import { askSigned } from "#instance/connectors/ask-signed.ts";
import type { Credential, CredentialAnswer } from "#instance/connectors/credential.ts";
import type { Connector } from "#protocol/connector.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { messageSchema } from "#rules/connectors/json-rpc.ts";
import { parseJson } from "#rules/json.ts";
import { isNestedDeeper } from "#worker/http/nesting.ts";
import { Stall } from "../stall.ts";
import { withhold } from "../withhold.ts";

export interface ServerRequest {
  method: "GET" | "POST" | "DELETE";
  headers: Headers;
  body: string | null;
  /** Whether it may take long, as a tool's call may. */
  isLong: boolean;
  /** Given when whoever asked has gone away. */
  signal: AbortSignal;
}

export type ServerAnswer =
  | { kind: "messages"; status: number; value: unknown; session: string | null }
  | { kind: "events"; body: ReadableStream<Uint8Array>; session: string | null }
  | { kind: "empty"; status: number; session: string | null }
  /** `words` is a clause that follows "its server". */
  | { kind: "fault"; status: "needs_login" | "unreachable"; words: string };

export interface AskParts {
  outside: OutsideOptions;
  connector: Connector;
  credential(): Promise<CredentialAnswer>;
  /** The server has refused the credential, or it has been renewed. */
  onChanged(): void;
}

/** For the beginning of an answer: what is asked for at once, and a tool's call. */
const ANSWER_MS = 30_000;
const CALL_MS = 3_600_000;
/** A body on which nothing comes for so long has stopped. */
const STALL_MS = 60_000;
const JSON_BYTES = 16_777_216;
/** As the specification has ids; what has a space is a stand-in's. */
const SESSION_ID = /^[!-~]{1,1024}$/;
/** Deeper than any program writes, and less than what is written anew can be. */
export const NESTING_LIMIT = 500;

/** Never rejects. */
export async function askServer(parts: AskParts, request: ServerRequest): Promise<ServerAnswer> {
  const credential = await parts.credential();
  if (!credential.ok) return { kind: "fault", status: "needs_login", words: `was not asked. ${credential.detail}` };
  const asked = await askSigned(parts.outside, parts.connector, credential.credential, {
    method: request.method,
    headers: request.headers,
    body: request.body,
    answerMs: request.isLong ? CALL_MS : ANSWER_MS,
    signal: request.signal,
  });
  if (asked.credential !== credential.credential) parts.onChanged();
  if (!asked.ok) return { kind: "fault", status: "unreachable", words: `${asked.detail}.` };
  if (asked.refusal !== null) {
    parts.onChanged();
    await asked.answer.body?.cancel().catch(() => undefined);
    return { kind: "fault", status: "needs_login", words: asked.refusal };
  }
  return await read(asked.answer, asked.credential.secrets);
}

async function read(answered: Response, secrets: Credential["secrets"]): Promise<ServerAnswer> {
  const { status } = answered;
  const answer = withhold(answered, secrets);
  const id = answer.headers.get("mcp-session-id");
  const session = id !== null && SESSION_ID.test(id) ? id : null;
  const [type = ""] = (answer.headers.get("content-type") ?? "").toLowerCase().split(";");
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && type.trim() === "text/event-stream" && answer.body !== null) {
    return { kind: "events", body: answer.body, session };
  }
  if (type.trim() === "application/json") {
    const value = await readJson(answer);
    if (value !== undefined && isOfRpc(value)) return { kind: "messages", status, value, session };
    if (isSuccess) return notMcp("JSON that is no message of JSON-RPC, or too much of it, or too deep");
  } else await answer.body?.cancel().catch(() => undefined);
  if (status === 202 || status === 204 || status === 404 || status === 405) return { kind: "empty", status, session };
  if (isSuccess) return notMcp(type.trim() === "" ? "nothing" : beginningOf(type.trim(), 100));
  return { kind: "fault", status: "unreachable", words: `answered ${status}.` };
}

function notMcp(found: string): ServerAnswer {
  return { kind: "fault", status: "unreachable", words: `answered with what MCP does not have: ${found}.` };
}

/** @returns undefined for what is none, is too long, or does not come. */
async function readJson({ body }: Response): Promise<unknown> {
  if (body === null) return undefined;
  const reader = body.getReader();
  const stall = new Stall(STALL_MS);
  stall.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let bytes = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      stall.touch();
      bytes += value.byteLength;
      if (bytes > JSON_BYTES) {
        await reader.cancel().catch(() => undefined);
        return undefined;
      }
      text += decoder.decode(value, { stream: true });
    }
    text += decoder.decode();
    return stall.signal.aborted || isNestedDeeper(text, NESTING_LIMIT) ? undefined : parseJson(text);
  } catch {
    return undefined;
  } finally {
    stall.end();
  }
}

function isOfRpc(value: unknown): boolean {
  const list = Array.isArray(value) ? value : [value];
  return list.every((one) => {
    const { data } = messageSchema.safeParse(one);
    return data !== undefined && (data.method !== undefined || data.result !== undefined || "error" in data);
  });
}
