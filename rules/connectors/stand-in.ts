/**
 * What an agent is told in place of a server that can't be used when its session begins: the tools that are known of it, of which
 * each call fails in words. An agent's program that gets no session would leave its model to wonder where the tools are. Pure.
 */
import type { ConnectorTool } from "#protocol/connector.ts";
import { answerInWords, errorMessage, isRequest, type Message, RPC_CODES, resultMessage } from "./json-rpc.ts";
import { type ToolAccess, toolFault } from "./tool-rules.ts";

export interface StandIn {
  connector: string;
  /** Why its server can't be used: a sentence. */
  words: string;
  tools: readonly ConnectorTool[];
  access: ToolAccess;
}

/** @returns answers to those that wait for one. */
export function standInAnswers(messages: readonly Message[], { connector, words, tools, access }: StandIn): unknown[] {
  return messages.filter(isRequest).map((message) => {
    const { id, method, params } = message;
    switch (method) {
      case "initialize":
        return resultMessage(id, {
          protocolVersion: params?.["protocolVersion"] ?? "2025-06-18",
          capabilities: { tools: {} },
          serverInfo: { name: connector, version: "0" },
          instructions: words,
        });
      case "ping":
        return resultMessage(id, {});
      case "tools/list":
        return resultMessage(id, {
          tools: tools
            .filter(({ name }) => toolFault(access, name) === null)
            .map(({ name, description, read_only }) => ({
              name,
              description,
              inputSchema: { type: "object" },
              annotations: { readOnlyHint: read_only },
            })),
        });
      // An agent's program that asks so tries `initialize` next.
      case "server/discover":
        return errorMessage(id, RPC_CODES.noMethod, words);
      default:
        return answerInWords(message, words);
    }
  });
}
