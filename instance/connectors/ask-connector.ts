/** Calls one tool, or reads one resource, of a connector for the instance itself. */
import type { Connector } from "#protocol/connector.ts";
import type { Json } from "#protocol/schema.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { parseJson } from "#rules/json.ts";
import { type AnswerValue, resourceValue, toolValue } from "#rules/watch/answer-value.ts";
import { type McpParts, type McpSession, withMcpClient } from "./mcp-client.ts";

/** Exactly one of `tool` and `resource` is there. */
export interface ConnectorCall {
  tool?: string | undefined;
  resource?: string | undefined;
  arguments?: Record<string, unknown> | undefined;
}

/** For all of it: less than a call that is owed may take. */
const DEADLINE_MS = 11_000;
const ANSWER_BYTES = 4_194_304;
const WORDS_LENGTH = 500;

/** Answers within its deadline, and never rejects. The connector's credential is in nothing that it gives. */
export async function askConnector(
  parts: McpParts,
  connector: Connector,
  call: ConnectorCall,
  deadlineMs = DEADLINE_MS,
): Promise<AnswerValue> {
  const bounds = { deadlineMs, answerBytes: ANSWER_BYTES, toDo: "answer" };
  const asked = await withMcpClient(parts, connector, bounds, (session) => ask(session, call));
  if (!asked.ok) return { ok: false, detail: asked.detail };
  const answer = asked.value;
  return answer.ok ? answer : { ok: false, detail: beginningOf(answer.detail, WORDS_LENGTH) };
}

async function ask({ client, options, shown }: McpSession, call: ConnectorCall): Promise<AnswerValue> {
  try {
    const answer =
      call.tool === undefined
        ? resourceValue(await client.readResource({ uri: call.resource ?? "" }, options))
        : toolValue(await client.callTool({ name: call.tool, arguments: call.arguments ?? {} }, options));
    if (!answer.ok) return { ok: false, detail: shown(answer.detail) };
    const value = parseJson(shown(JSON.stringify(answer.value)));
    return value === undefined
      ? { ok: false, detail: "The answer can't be read." }
      : { ok: true, value: value as Json };
  } catch (error) {
    const refusal = refusalIn(error);
    if (refusal === null) throw error;
    return { ok: false, detail: shown(`The server refuses: ${refusal}`) };
  }
}

/** The words of a JSON-RPC error, which has a number. What goes wrong on the way has none. */
function refusalIn(error: unknown): string | null {
  return error instanceof Error && Number.isInteger(Reflect.get(error, "code")) ? error.message : null;
}
