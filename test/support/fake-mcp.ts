/** An MCP server of Streamable HTTP in memory, of the revision 2025-06-18: what it does is a test's to say. */
import type { Seen } from "#test/worker/proxy-bed.ts";

export interface FakeTool {
  name: string;
  description?: string;
  inputSchema?: object;
  annotations?: { readOnlyHint?: boolean };
}

interface Message {
  id?: string | number;
  method?: string;
  params?: { name?: string } & Record<string, unknown>;
}

export const MCP_URL = "https://mcp.acme.dev/mcp";
const INITIALIZED = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "acme", version: "7" },
};

export class FakeMcp {
  tools: FakeTool[] = [
    { name: "list_issues", description: "List issues.", annotations: { readOnlyHint: true } },
    { name: "create_issue", annotations: { readOnlyHint: false } },
    { name: "delete_issue" },
  ];
  /** The session that it begins; null for none. */
  session: string | null = "session-of-the-server";
  /** Every message that has come, in order. */
  readonly messages: Message[] = [];
  /** In place of an answer of its own. */
  instead: (request: Seen, message: Message) => Response | null | Promise<Response | null> = () => null;

  readonly answer = async (request: Seen): Promise<Response> => {
    const message: Message = request.text === "" ? {} : JSON.parse(request.text);
    this.messages.push(message);
    const instead = await this.instead(request, message);
    if (instead !== null) return instead;
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (message.id === undefined) return new Response(null, { status: 202 });
    const headers: Record<string, string> =
      message.method === "initialize" && this.session !== null ? { "mcp-session-id": this.session } : {};
    return Response.json({ jsonrpc: "2.0", id: message.id, ...this.#outcome(message) }, { headers });
  };

  #outcome({ method, params = {} }: Message): object {
    if (method === "initialize") return { result: INITIALIZED };
    if (method === "tools/list") {
      return { result: { tools: this.tools.map((tool) => ({ inputSchema: { type: "object" }, ...tool })) } };
    }
    if (method === "tools/call") return { result: { content: [{ type: "text", text: `called ${params.name}` }] } };
    return { error: { code: -32_601, message: "Method not found" } };
  }
}
