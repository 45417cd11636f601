/** MCP servers that the instance has for an agent: its program asks them through the relay, with the attempt's proxy token. */
import type { McpHttpServerConfig } from "@anthropic-ai/claude-agent-sdk";
import type { RunOrder } from "#protocol/runner-link.ts";

/** A call may take as long as the instance waits for one. */
const CALL_MS = 3_600_000;

export function instanceServers(
  { run_id, mcp_servers }: Pick<RunOrder, "run_id" | "mcp_servers">,
  relayUrl: string,
  proxyToken: string,
): Record<string, McpHttpServerConfig> {
  const headers = { Authorization: `Bearer ${proxyToken}` };
  return Object.fromEntries(
    mcp_servers.map((name) => {
      const url = `${relayUrl}/proxy/${run_id}/mcp/${name}`;
      // Nobody is there to ask again for tools that were not there yet.
      return [name, { type: "http", url, headers, timeout: CALL_MS, alwaysLoad: true }] as const;
    }),
  );
}
