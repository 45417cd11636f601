/** Looks whether a connector's server answers, and which tools it tells. */
import type { SecretsOfRuns } from "#instance/secrets/secrets-of-runs.ts";
import { type Connector, type ConnectorState, type ConnectorTool, TOOLS_AT_MOST } from "#protocol/connector.ts";
import { timestamp } from "#protocol/time.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { askOutside, type OutsideOptions } from "../exit/ask-outside.ts";
import { withheld } from "../proxy/withhold.ts";
import { type Credential, credentialOf } from "./credential.ts";

export interface CheckParts {
  secrets: Pick<SecretsOfRuns, "fill" | "fillTexts">;
  outside: OutsideOptions;
  now(): number;
  /** For all of it, in milliseconds. */
  deadlineMs?: number;
}

type Seen = Pick<ConnectorState, "status" | "status_detail" | "server"> & { tools: ConnectorTool[] | null };

const DEADLINE_MS = 15_000;
const DESCRIPTION_LENGTH = 1_000;
const LABEL_LENGTH = 100;
/** Of one answer: far more than tools take. */
const ANSWER_BYTES = 8_388_608;
/** What is listed again and again without an end. */
const PAGES_AT_MOST = 20;

/** What a request met; the last one tells why the whole did not go through. */
interface Met {
  status: number | null;
  detail: string | null;
}

/** Answers within its deadline, and never rejects. Tools that an earlier look has found stay while the server tells none. */
export async function checkConnector(parts: CheckParts, connector: Connector): Promise<ConnectorState> {
  const { tools: before, server } = connector;
  const seen = await look(parts, connector);
  return { ...seen, tools: seen.tools ?? before, server: seen.server ?? server, checked_at: timestamp(parts.now()) };
}

async function look(parts: CheckParts, connector: Connector): Promise<Seen> {
  const credential = await credentialOf(parts.secrets, connector, null);
  if (!credential.ok) return unready("needs_login", credential.detail);
  const met: Met = { status: null, detail: null };
  const deadlineMs = parts.deadlineMs ?? DEADLINE_MS;
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    const found = await listTools(parts, connector, credential.credential, { met, signal });
    return { status: "ready", status_detail: null, ...found };
  } catch {
    // What was thrown may quote what was sent or answered.
    if (met.status === 401 || met.status === 403) {
      const words =
        connector.auth.type === "none" ? "The server wants a credential" : "The server refuses the credential";
      return unready("needs_login", `${words}: it answered ${met.status}.`);
    }
    if (met.detail !== null) return unready("unreachable", `The server ${met.detail}.`);
    if (signal.aborted)
      return unready("unreachable", `The server did not tell its tools within ${deadlineMs / 1_000} seconds.`);
    const answered = met.status === null || met.status < 400 ? "" : `: it answered ${met.status}`;
    return unready("unreachable", `What answers there is no MCP server of Streamable HTTP${answered}.`);
  }
}

function unready(status: "needs_login" | "unreachable", status_detail: string): Seen {
  return { status, status_detail, server: null, tools: null };
}

async function listTools(
  { outside }: CheckParts,
  { url }: Connector,
  { headers: credential, secrets }: Credential,
  { met, signal }: { met: Met; signal: AbortSignal },
): Promise<Pick<ConnectorState, "server" | "tools">> {
  // Only who looks needs it: an isolate starts without it.
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const client = new Client(
    { name: "reveille", version: "1" },
    { versionNegotiation: { mode: "auto" }, listMaxPages: PAGES_AT_MOST },
  );
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: async (asked, init = {}) => {
      const answered = await askOutside(
        {
          url: String(asked),
          method: init.method === "POST" || init.method === "DELETE" ? init.method : "GET",
          headers: new Headers(init.headers),
          credential,
          body: typeof init.body === "string" ? init.body : null,
          answerMs: DEADLINE_MS,
          signal: init.signal == null ? signal : AbortSignal.any([signal, init.signal]),
        },
        outside,
      );
      met.status = answered.ok ? answered.answer.status : null;
      met.detail = answered.ok ? null : answered.detail;
      if (!answered.ok) throw new Error(answered.detail);
      return bounded(answered.answer);
    },
  });
  try {
    await client.connect(transport, { timeout: DEADLINE_MS, signal });
    const { tools } = await client.listTools(undefined, { timeout: DEADLINE_MS, signal });
    const { name = "", version = "" } = client.getServerVersion() ?? {};
    const shown = (text: string, length: number) => beginningOf(withheld(text, secrets), length);
    return {
      server: {
        name: shown(name, LABEL_LENGTH),
        version: shown(version, LABEL_LENGTH),
        protocol: client.getNegotiatedProtocolVersion() ?? "",
      },
      tools: tools.slice(0, TOOLS_AT_MOST).map(({ name: tool, description = "", annotations }) => ({
        name: shown(tool, LABEL_LENGTH + LABEL_LENGTH),
        description: shown(description, DESCRIPTION_LENGTH),
        read_only: annotations?.readOnlyHint === true,
      })),
    };
  } finally {
    // A session that the server keeps open is of no use any more; nobody waits for its end.
    void transport
      .terminateSession()
      .catch(() => {})
      .finally(() => client.close().catch(() => {}));
  }
}

/** The answer, which breaks off where it is longer than anybody's tools. */
function bounded(answer: Response): Response {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > ANSWER_BYTES) controller.error(new Error("the answer is too long"));
      else controller.enqueue(chunk);
    },
  });
  const body = answer.body?.pipeThrough(counter) ?? null;
  return new Response(body, { status: answer.status, headers: answer.headers });
}
