/**
 * What a model call may not contain, because it would fetch or execute outside the sandbox: judged value by value, while the
 * request passes by. Every value counts, also the first of two under one key, because parsers differ in which of the two they take.
 */
import type { JsonKind } from "#worker/http/json-scanner.ts";

/** Tools that the agent itself carries out, inside its sandbox. */
const CLIENT_TOOL = /^(?:bash|text_editor|computer|memory)_/;
/** Tools that the model's service carries out, with what is public and what the request itself says. */
const PUBLIC_TOOL = /^(?:web_search|web_fetch|code_execution)_[0-9]{8}$/;
/** Content that the model's service would fetch from a public address. */
const PUBLIC_SOURCE = "url";
/** Content that it would look up among the files of the instance's account, which are other runs' too. */
const ACCOUNT_FILES: readonly unknown[] = ["file", "container_upload"];

/**
 * What a value is in a request, as far as it matters here. What is "free" is not looked into: a tool's input may look like a
 * source without being one.
 */
type Place =
  | "request"
  | "messages"
  | "message"
  | "content"
  | "block"
  | "block's type"
  | "source"
  | "source's type"
  | "tools"
  | "tool"
  | "tool's type"
  | "server's"
  | "free";

const BLOCK: Readonly<Record<string, Place>> = { content: "content", source: "source", type: "block's type" };
/** What the model's own service would carry out is `server's`. */
const MEMBERS: Partial<Record<Place, Readonly<Record<string, Place>>>> = {
  request: {
    messages: "messages",
    system: "content",
    tools: "tools",
    mcp_servers: "server's",
    container: "server's",
  },
  message: { content: "content" },
  block: BLOCK,
  // A single block in place of a list is none to the API. It is judged all the same: who knows what takes it for one.
  content: BLOCK,
  source: { content: "content", type: "source's type" },
  tool: { type: "tool's type" },
};
const ITEMS: Partial<Record<Place, Place>> = { messages: "message", content: "block", tools: "tool" };

/** Places whose values are judged, where they are neither objects nor lists. */
const JUDGED: readonly Place[] = ["server's", "tools", "block's type", "source's type", "tool's type"];

/** One request. Each method returns the rule that refuses it, or null. */
export class ContentRule {
  readonly #reachesAll: boolean;
  readonly #open: { place: Place; kind: JsonKind }[] = [];
  #key = "";
  /** The field at the top that is being read. */
  #field = "";

  /** @param reachesAll whether the run may reach every public host: then the model's service may do so for it. */
  constructor(reachesAll: boolean) {
    this.#reachesAll = reachesAll;
  }

  key(name: string): void {
    this.#key = name;
    if (this.#open.length === 1) this.#field = name;
  }

  begin(kind: JsonKind): string | null {
    const parent = this.#open.at(-1);
    const place = parent === undefined ? "request" : this.#placeIn(parent);
    this.#open.push({ place, kind });
    if (parent?.place === "server's") return this.#serverField();
    if (place === "server's" && kind !== "array" && kind !== "word") return this.#serverField();
    if (place === "tools" && kind !== "array" && kind !== "word") return "tools: must be an array";
    if (place === "tool's type" && (kind === "object" || kind === "array")) return `server_side_tool: ${kind}`;
    return null;
  }

  /** @param read tells the value, of all but objects and arrays. */
  end(read: () => unknown): string | null {
    const { place, kind } = this.#open.pop() ?? { place: "free", kind: "object" };
    if (kind === "object" || kind === "array" || !JUDGED.includes(place)) return null;
    const value = read();
    if (value === null) return null;
    if (place === "server's") return this.#serverField();
    if (place === "tools") return "tools: must be an array";
    if (place === "tool's type") return this.#toolRule(value);
    const isRemote = ACCOUNT_FILES.includes(value) || (value === PUBLIC_SOURCE && !this.#reachesAll);
    return isRemote ? `remote_source: ${String(value)}` : null;
  }

  #placeIn({ place, kind }: { place: Place; kind: JsonKind }): Place {
    if (kind === "array") return ITEMS[place] ?? "free";
    const members = MEMBERS[place] ?? {};
    return Object.hasOwn(members, this.#key) ? (members[this.#key] ?? "free") : "free";
  }

  #toolRule(value: unknown): string | null {
    const type = String(value);
    const isClients = value === "custom" || CLIENT_TOOL.test(type);
    return isClients || (this.#reachesAll && PUBLIC_TOOL.test(type)) ? null : `server_side_tool: ${type.slice(0, 100)}`;
  }

  #serverField(): string {
    return `server_side_field: ${this.#field}`;
  }
}
