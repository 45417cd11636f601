/** Looks whether a connector's server answers, and which tools it tells. */
import { type McpParts, type McpSession, withMcpClient } from "#instance/connectors/mcp-client.ts";
import { type Connector, type ConnectorState, type ConnectorTool, TOOLS_AT_MOST } from "#protocol/connector.ts";
import { timestamp } from "#protocol/time.ts";
import { beginningOf } from "#protocol/well-formed.ts";

export interface CheckParts extends McpParts {
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

/** Answers within its deadline, and never rejects. Tools that an earlier look has found stay while the server tells none. */
export async function checkConnector(parts: CheckParts, connector: Connector): Promise<ConnectorState> {
  const { tools: before, server } = connector;
  const seen = await look(parts, connector);
  return { ...seen, tools: seen.tools ?? before, server: seen.server ?? server, checked_at: timestamp(parts.now()) };
}

async function look(parts: CheckParts, connector: Connector): Promise<Seen> {
  const bounds = {
    deadlineMs: parts.deadlineMs ?? DEADLINE_MS,
    answerBytes: ANSWER_BYTES,
    toDo: "tell its tools",
  };
  const found = await withMcpClient(parts, connector, bounds, listTools);
  return found.ok
    ? { status: "ready", status_detail: null, ...found.value }
    : { status: found.status, status_detail: found.detail, server: null, tools: null };
}

async function listTools({ client, options, shown: clean }: McpSession) {
  const { tools } = await client.listTools(undefined, options);
  const { name = "", version = "" } = client.getServerVersion() ?? {};
  const shown = (text: string, length: number) => beginningOf(clean(text), length);
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
}
