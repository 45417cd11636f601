/** The instance's own way to ask a connector's server: a client of MCP, bounded in time and bytes, with the connector's credential. */
import type { Client } from "@modelcontextprotocol/client";
import type { Connector } from "#protocol/connector.ts";
import { withheld } from "#rules/secrets/withheld.ts";
import type { SecretsOfRuns } from "../secrets/secrets-of-runs.ts";
import { askOutside, type OutsideOptions } from "./ask-outside.ts";
import { type CredentialAnswer, credentialOf } from "./credential.ts";

export interface McpParts {
  secrets: Pick<SecretsOfRuns, "fill" | "fillTexts">;
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
}

/** Answers within its deadline, and never rejects. */
export async function withMcpClient<Value>(
  parts: McpParts,
  connector: Connector,
  bounds: McpBounds,
  ask: (session: McpSession) => Promise<Value>,
): Promise<McpAnswer<Value>> {
  const met: Met = { status: null, detail: null };
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
    return answer ?? failed(connector, bounds, met, true);
  } catch {
    // What was thrown may quote what was sent or answered.
    return failed(connector, bounds, met, late.signal.aborted);
  } finally {
    clearTimeout(timer);
  }
}

function failed({ auth }: Connector, bounds: McpBounds, met: Met, isLate: boolean): McpAnswer<never> {
  if (met.status === 401 || met.status === 403) {
    const words = auth.type === "none" ? "The server wants a credential" : "The server refuses the credential";
    return { ok: false, status: "needs_login", detail: `${words}: it answered ${met.status}.` };
  }
  const detail = isLate
    ? (met.detail ?? `did not ${bounds.toDo} within ${bounds.deadlineMs / 1_000} seconds`)
    : met.detail;
  if (detail !== null) return { ok: false, status: "unreachable", detail: `The server ${detail}.` };
  const answered = met.status === null || met.status < 400 ? "" : `: it answered ${met.status}`;
  const words = `What answers there is no MCP server of Streamable HTTP${answered}.`;
  return { ok: false, status: "unreachable", detail: words };
}

async function askAll<Value>(
  { outside, secrets: store, routineId }: McpParts,
  connector: Connector,
  { deadlineMs, answerBytes }: McpBounds,
  { met, signal, ask }: { met: Met; signal: AbortSignal; ask: (session: McpSession) => Promise<Value> },
): Promise<McpAnswer<Value>> {
  const credential: CredentialAnswer = await credentialOf(store, connector, null, routineId ?? null);
  if (!credential.ok) return { ok: false, status: "needs_login", detail: credential.detail };
  const { headers, secrets } = credential.credential;
  // Only who asks needs it: an isolate starts without it.
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const client = new Client(
    { name: "reveille", version: "1" },
    { versionNegotiation: { mode: "auto" }, listMaxPages: PAGES_AT_MOST },
  );
  const transport = new StreamableHTTPClientTransport(new URL(connector.url), {
    fetch: async (asked, init = {}) => {
      const answered = await askOutside(
        {
          url: String(asked),
          method: init.method === "POST" || init.method === "DELETE" ? init.method : "GET",
          headers: new Headers(init.headers),
          credential: headers,
          body: typeof init.body === "string" ? init.body : null,
          answerMs: deadlineMs,
          signal: init.signal == null ? signal : AbortSignal.any([signal, init.signal]),
        },
        outside,
      );
      met.status = answered.ok ? answered.answer.status : null;
      met.detail = answered.ok ? null : answered.detail;
      if (!answered.ok) throw new Error(answered.detail);
      return bounded(answered.answer, answerBytes);
    },
  });
  const options = { timeout: deadlineMs, signal };
  try {
    await client.connect(transport, options);
    return { ok: true, value: await ask({ client, options, shown: (text) => withheld(text, secrets) }) };
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

/** The answer, which breaks off where it is too long. */
function bounded(answer: Response, most: number): Response {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > most) controller.error(new Error("the answer is too long"));
      else controller.enqueue(chunk);
    },
  });
  const body = answer.body?.pipeThrough(counter) ?? null;
  return new Response(body, { status: answer.status, headers: answer.headers });
}
