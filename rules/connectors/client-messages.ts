/**
 * What a run's agent sends to a connector: whether it may, and as what it goes on. What goes on is written anew from what was
 * judged, so that nobody reads it in another way. Pure.
 */
import { parseJson } from "../json.ts";
import { errorMessage, isRequest, type Message, messageSchema, RPC_CODES } from "./json-rpc.ts";
import { folded, type ToolAccess, toolFault } from "./tool-rules.ts";

/** More in one body is no use to any agent. */
const BATCH_AT_MOST = 50;
/** What a server would ask of people or of the agent's model: nobody is there to answer it. */
const ASKING_CAPABILITIES = ["elicitation", "sampling", "roots"];
const CALL = "tools/call";
const CAPABILITIES_META = "io.modelcontextprotocol/clientCapabilities";

export type JudgedMessages =
  /** `refused` is for the run's transcript; null where the form alone is at fault. */
  { ok: false; body: unknown; refused: string | null } | { ok: true; messages: Message[]; text: string };

/** What of a request's headers repeats its body; absent where the agent's program does not send it. */
export interface MirroredHeaders {
  method: string | null;
  name: string | null;
}

/** @param connector its name, for words. */
export function judgeMessages(
  text: string,
  connector: string,
  access: ToolAccess,
  mirrored: MirroredHeaders,
): JudgedMessages {
  const given = parseJson(text);
  const parsed = messageSchema
    .array()
    .min(1)
    .max(BATCH_AT_MOST)
    .safeParse(Array.isArray(given) ? given : [given]);
  if (!parsed.success) return unfit("The body must be a message of JSON-RPC 2.0, or a list of at most 50.");
  const messages = parsed.data;
  const faults = messages.map((message) => callFault(message, connector, access));
  const refused = faults.find((fault) => fault !== null) ?? null;
  if (refused !== null) {
    const words = messages.length === 1 ? refused : `${refused} Nothing of this list was sent on.`;
    return { ok: false, body: answers(messages, words, Array.isArray(given)), refused };
  }
  const [only] = messages.length === 1 ? messages : [];
  if (!isMirror(only, mirrored)) return unfit("Mcp-Method and Mcp-Name must say what the body says.");
  const sent = messages.map(withoutAsking);
  return { ok: true, messages: sent, text: JSON.stringify(Array.isArray(given) ? sent : sent[0]) };
}

function unfit(message: string): JudgedMessages {
  return { ok: false, body: errorMessage(null, RPC_CODES.invalidRequest, message), refused: null };
}

function answers(messages: readonly Message[], words: string, isList: boolean): unknown {
  const errors = messages.filter(isRequest).map(({ id }) => errorMessage(id, RPC_CODES.invalidParams, words));
  return isList ? errors : (errors[0] ?? errorMessage(null, RPC_CODES.invalidParams, words));
}

function callFault({ method, params }: Message, connector: string, access: ToolAccess): string | null {
  if (method === undefined || folded(method) !== CALL) return null;
  if (method !== CALL) return `The method ${shown(method)} is not sent on: only ${CALL} calls a tool.`;
  const name: unknown = params?.["name"];
  if (typeof name !== "string") return `A call of a tool of the connector ${connector} names none.`;
  const fault = toolFault(access, name);
  return fault === null ? null : `The tool ${shown(name)} of the connector ${connector} can't be called: it ${fault}.`;
}

/** Servers before which something else decides by headers must not be told another tool there than was judged. */
function isMirror(message: Message | undefined, { method, name }: MirroredHeaders): boolean {
  if (method !== null && method !== message?.method) return false;
  if (name === null || message === undefined) return name === null;
  return message.method !== "tools/call" || name === message.params?.["name"];
}

/** Without what lets a server ask people or the agent's model. */
function withoutAsking(message: Message): Message {
  const { params } = message;
  if (params === undefined) return message;
  const meta: unknown = params["_meta"];
  const asked =
    isObject(meta) && isObject(meta[CAPABILITIES_META])
      ? { ...meta, [CAPABILITIES_META]: quiet(meta[CAPABILITIES_META]) }
      : meta;
  const capabilities: unknown = params["capabilities"];
  const isInitialize = message.method === "initialize" && isObject(capabilities);
  return {
    ...message,
    params: {
      ...params,
      ...(isInitialize ? { capabilities: quiet(capabilities) } : {}),
      ...(meta === undefined ? {} : { _meta: asked }),
    },
  };
}

function quiet(capabilities: object): object {
  return Object.fromEntries(Object.entries(capabilities).filter(([name]) => !ASKING_CAPABILITIES.includes(name)));
}

function isObject(value: unknown): value is Record<string, object> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A name is a stranger's text. */
function shown(name: string): string {
  return name.replace(/[^!-~]/g, "?").slice(0, 128);
}
