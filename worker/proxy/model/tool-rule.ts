/** Pure: what a model call may not contain, because it would fetch or execute outside the sandbox. */

/** Tools that the agent itself carries out, inside its sandbox. */
const CLIENT_TOOL = /^(?:bash|text_editor|computer|memory)_/;
/** What the model's own service would carry out. */
const SERVER_FIELDS = ["mcp_servers", "container"];
/** Content that the model's service would fetch or look up by itself. */
const REMOTE_SOURCES: readonly unknown[] = ["url", "file"];

/** @param body a parsed request of the Messages API. @returns the rule that refuses it, or null. */
export function refusedByRule(body: object): string | null {
  for (const name of SERVER_FIELDS) {
    const value = field(body, name);
    const isEmpty = value === undefined || value === null || (Array.isArray(value) && value.length === 0);
    if (!isEmpty) return `server_side_field: ${name}`;
  }
  return refusedTool(field(body, "tools")) ?? refusedSource(body);
}

function refusedTool(tools: unknown): string | null {
  if (tools === undefined || tools === null) return null;
  if (!Array.isArray(tools)) return "tools: must be an array";
  for (const tool of tools) {
    const type = field(tool, "type");
    if (type === undefined || type === null || type === "custom") continue;
    if (typeof type !== "string" || !CLIENT_TOOL.test(type)) return `server_side_tool: ${String(type).slice(0, 100)}`;
  }
  return null;
}

/** Walks content blocks, and nothing else: a tool's input may look like a source and be none. */
function refusedSource(body: object): string | null {
  const messages = field(body, "messages");
  const open: unknown[] = [field(body, "system")];
  if (Array.isArray(messages)) for (const message of messages) open.push(field(message, "content"));
  while (open.length > 0) {
    const content = open.pop();
    if (!Array.isArray(content)) continue;
    for (const block of content) {
      const source = field(block, "source");
      const type = field(source, "type");
      if (REMOTE_SOURCES.includes(type)) return `remote_source: ${String(type)}`;
      open.push(field(block, "content"), field(source, "content"));
    }
  }
  return null;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
