/** The instance's own way to ask a connector's server: a client of MCP, bounded in time and bytes, with the connector's credential. */
import type { Client } from "@modelcontextprotocol/client";
import type { Connector } from "#protocol/connector.ts";
import { withheld } from "#rules/secrets/withheld.ts";
import type { OutsideOptions } from "./ask-outside.ts";
import { askSigned } from "./ask-signed.ts";
import { boundedAnswer } from "./bounded-answer.ts";
import { type CredentialAnswer, type CredentialParts, credentialOf } from "./credential.ts";

export interface McpParts extends CredentialParts {
  outside: OutsideOptions;
  /** For which routine it is asked, as scopes of secrets mean it; absent where a person looks whether it works. */
  routineId?: string;
}

interface McpBounds {
  /** For all of it, in milliseconds. */
  deadlineMs: number;
  /** Of each answer. */
  answerBytes: number;
  /** What the server has to do, as it follows "did not". */
  toDo: string;
}

/** What is asked, once a session is begun. */
export interface McpSession {
  client: Client;
  /** For each request. */
  options: { timeout: number; signal: AbortSignal };
  /** A text of the server's without the credential's values. */
  shown(text: string): string;
}

/** `detail` is a sentence for people. It quotes nothing that may be a secret. */
export type McpAnswer<Value> =
  | { ok: true; value: Value }
  | { ok: false; status: "needs_login" | "unreachable"; detail: string };

/** What a request met; the last one tells why the whole did not go through. */
interface Met {
  status: number | null;
  detail: string | null;
  /** Of an answer 401 or 403. */
  refusal: string | null;
  /** Whether a session has begun: what answers there is a server of MCP. */
  isBegun: boolean;
}

/** Answers within its deadline, and never rejects. */
export async function withMcpClient<Value>(
  parts: McpParts,
  connector: Connector,
  bounds: McpBounds,
  ask: (session: McpSession) => Promise<Value>,
): Promise<McpAnswer<Value>> {
  const met: Met = { status: null, detail: null, refusal: null, isBegun: false };
  const late = new AbortController();
  const { promise: isLate, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    late.abort();
    resolve();
  }, bounds.deadlineMs);
  try {
    const work = askAll(parts, connector, bounds, { met, signal: late.signal, ask });
    // What is asked before the first request, such as the secrets, may hang too.
    const answer = await Promise.race([work, isLate]);
    return answer ?? failed(bounds, met, true);
  } catch {
    // What was thrown may quote what was sent or answered.
    return failed(bounds, met, late.signal.aborted);
  } finally {
    clearTimeout(timer);
  }
}

function failed(bounds: McpBounds, met: Met, isLate: boolean): McpAnswer<never> {
  if (met.refusal !== null) return { ok: false, status: "needs_login", detail: `The server ${met.refusal}` };
  const detail = isLate
    ? (met.detail ?? `did not ${bounds.toDo} within ${bounds.deadlineMs / 1_000} seconds`)
    : met.detail;
  if (detail !== null) return { ok: false, status: "unreachable", detail: `The server ${detail}.` };
  if (met.isBegun) return { ok: false, status: "unreachable", detail: "What the server has answered can't be read." };
  const answered = met.status === null || met.status < 400 ? "" : `: it answered ${met.status}`;
  const words = `What answers there is no MCP server of Streamable HTTP${answered}.`;
  return { ok: false, status: "unreachable", detail: words };
}

async function askAll<Value>(
  parts: McpParts,
  connector: Connector,
  { deadlineMs, answerBytes }: McpBounds,
  { met, signal, ask }: { met: Met; signal: AbortSignal; ask: (session: McpSession) => Promise<Value> },
): Promise<McpAnswer<Value>> {
  const credential: CredentialAnswer = await credentialOf(parts, connector, null, parts.routineId ?? null);
  if (!credential.ok) return { ok: false, status: "needs_login", detail: credential.detail };
  let signed = credential.credential;
  // Only who asks needs it: an isolate starts without it.
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const client = new Client(
    { name: "reveille", version: "1" },
    { versionNegotiation: { mode: "auto" }, listMaxPages: PAGES_AT_MOST },
  );
  const transport = new StreamableHTTPClientTransport(new URL(connector.url), {
    fetch: async (_asked, init = {}) => {
      const answered = await askSigned(parts.outside, connector, signed, {
        method: init.method === "POST" || init.method === "DELETE" ? init.method : "GET",
        headers: new Headers(init.headers),
        body: typeof init.body === "string" ? init.body : null,
        answerMs: deadlineMs,
        signal: init.signal == null ? signal : AbortSignal.any([signal, init.signal]),
      });
      signed = answered.credential;
      met.refusal = answered.refusal;
      met.status = answered.ok ? answered.answer.status : null;
      met.detail = answered.ok ? null : answered.detail;
      if (!answered.ok) throw new Error(answered.detail);
      return boundedAnswer(answered.answer, answerBytes, () => {
        met.detail = `answered with more than ${Math.floor(answerBytes / 1_048_576)} MiB`;
      });
    },
  });
  const options = { timeout: deadlineMs, signal };
  try {
    await client.connect(transport, options);
    met.isBegun = true;
    return { ok: true, value: await ask({ client, options, shown: (text) => withheld(text, signed.secrets) }) };
  } finally {
    // A session that the server keeps open is of no use any more; nobody waits for its end.
    void transport
      .terminateSession()
      .catch(() => {})
      .finally(() => client.close().catch(() => {}));
  }
}

/** What is listed again and again without an end. */
const PAGES_AT_MOST = 20;
