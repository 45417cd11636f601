/** What a connector's server sends to a run's agent: without tools that it may not call, and without questions that nobody answers. Pure. */

import { TOOLS_AT_MOST } from "#protocol/connector.ts";
import { ownValue } from "#protocol/own-value.ts";
import {
  errorMessage,
  failedTool,
  isRequest,
  type Message,
  messageSchema,
  RPC_CODES,
  resultMessage,
} from "./json-rpc.ts";
import { type ToolAccess, toolFault } from "./tool-rules.ts";

export interface FilteredMessages {
  /** What goes on to the agent; none where nothing is left. */
  passed: unknown[];
  /** What the server is told in the agent's place. */
  answers: unknown[];
  /** For the run's transcript. */
  declined: string[];
}

/** What each of a server's requests asks for, in words. */
const ASKED: Readonly<Record<string, string>> = {
  "elicitation/create": "to ask a person",
  "sampling/createMessage": "to use the agent's model",
  "roots/list": "for the agent's folders",
};

/** @param value a message, or a list of them. @param connector its name, for words. */
export function filterMessages(value: unknown, connector: string, access: ToolAccess): FilteredMessages {
  const filtered: FilteredMessages = { passed: [], answers: [], declined: [] };
  for (const one of Array.isArray(value) ? value : [value]) {
    const { data: message } = messageSchema.safeParse(one);
    // Whoever reads it there finds it no message either.
    if (message === undefined) continue;
    if (isRequest(message) && message.method !== "ping") decline(filtered, message, connector);
    else
      filtered.passed.push(
        withoutQuestion(filtered, withAllowedTools(filtered, message, { connector, access }), connector),
      );
  }
  return filtered;
}

function decline(
  filtered: FilteredMessages,
  { id, method }: Message & { id: string | number; method: string },
  connector: string,
): void {
  const asked = ownValue(ASKED, method) ?? "for something that runs do not do";
  filtered.declined.push(`The connector ${connector} asked ${asked}: runs are unattended, so it was declined.`);
  filtered.answers.push(
    method === "elicitation/create"
      ? resultMessage(id, { action: "decline" })
      : errorMessage(id, RPC_CODES.noMethod, "Runs are unattended: this is not done here."),
  );
}

/** Only an answer to `tools/list` has tools: which request it answers is not always known, as after a stream that was taken up again. */
function withAllowedTools(
  filtered: FilteredMessages,
  message: Message,
  { connector, access }: { connector: string; access: ToolAccess },
): Message {
  const tools: unknown = message.result?.["tools"];
  if (!Array.isArray(tools)) return message;
  const isAllowed = (tool: unknown) => {
    const name: unknown = typeof tool === "object" && tool !== null ? Reflect.get(tool, "name") : undefined;
    if (typeof name !== "string" || toolFault(access, name) !== null) return false;
    return access.rules.read_only !== true || saysReadOnly(tool);
  };
  const allowed = tools.filter(isAllowed);
  if (allowed.length > TOOLS_AT_MOST)
    filtered.declined.push(
      `The connector ${connector} lists ${allowed.length} tools at once: the agent gets the first ${TOOLS_AT_MOST} of them.`,
    );
  return { ...message, result: { ...message.result, tools: allowed.slice(0, TOOLS_AT_MOST) } };
}

/** What was seen to change nothing, and says otherwise now, is not listed either. */
function saysReadOnly(tool: unknown): boolean {
  const annotations: unknown = Reflect.get(tool as object, "annotations");
  return typeof annotations === "object" && annotations !== null && Reflect.get(annotations, "readOnlyHint") === true;
}

/** From the revision 2026-07-28 on a server asks by a result that wants more input. */
function withoutQuestion(filtered: FilteredMessages, message: Message, connector: string): Message {
  if (message.result?.["resultType"] !== "input_required") return message;
  const words = `The connector ${connector} asked for more input than its call had: runs are unattended, so it was declined.`;
  filtered.declined.push(words);
  return { jsonrpc: "2.0", id: message.id ?? null, result: failedTool(words) };
}
