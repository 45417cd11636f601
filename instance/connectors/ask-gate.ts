/** Asks a routine's gate: calls its tool, and judges the answer. */
import type { Connector } from "#protocol/connector.ts";
import type { Gate } from "#protocol/gate.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import type { GateVerdict } from "#rules/admission.ts";
import { judgeAnswer } from "#rules/wake-gate/judge-answer.ts";
import { askConnector } from "./ask-connector.ts";
import type { McpParts } from "./mcp-client.ts";

/** A fire waits for it, and perhaps for the one before. */
const DEADLINE_MS = 7_000;
const DETAIL_LENGTH = 1_000;

/** @param connector null where there is none of its name. Never rejects, and answers within 7 seconds. */
export async function askGate(parts: McpParts, connector: Connector | null, gate: Gate): Promise<GateVerdict> {
  if (connector === null) return failed(`There is no connector "${gate.connector}", or it can't be read.`);
  const answer = await askConnector(parts, connector, gate, DEADLINE_MS);
  if (!answer.ok) return failed(answer.detail);
  const judged = judgeAnswer(answer.value, gate.when);
  if (!judged.ok) return failed(judged.detail);
  return { is: judged.isOpen ? "open" : "closed", detail: beginningOf(judged.detail, DETAIL_LENGTH) };
}

function failed(detail: string): GateVerdict {
  return { is: "failed", detail: beginningOf(detail, DETAIL_LENGTH) };
}
