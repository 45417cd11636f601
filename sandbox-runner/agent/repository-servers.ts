/**
 * What a repository's `.mcp.json` asks for. None of it is started: the agent's program takes its servers from the runner alone.
 * A server whose address one of the routine's connectors has is there under the connector's name. No I/O.
 */

/** One server of the file. */
interface Named {
  name: string;
  /** The name of the connector that has its address; null where none has. */
  connector: string | null;
  /** Why it is not there, in a few words. */
  what: string;
}

const NAME_LENGTH = 60;
const NAMES_SHOWN = 10;
/** So many are looked at: more than anybody wrote. */
const LOOKED_AT = 500;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/**
 * @param text of the file; null where it is too long. @param addresses of the routine's connectors, by their names.
 * @returns what to tell people of it, in sentences; null where it asks for nothing.
 */
export function toldOfServers(text: string | null, addresses: Readonly<Record<string, string>>): string | null {
  if (text === null) return "It is longer than 1 MiB, and is not read.";
  const servers = serversIn(text);
  if (servers === null) return "It can't be read: it is not JSON with mcpServers.";
  if (servers.length === 0) return null;
  const connectors = new Map(Object.entries(addresses).map(([name, url]) => [normal(url), name]));
  const read = servers.slice(0, LOOKED_AT).map(([name, server]) => readServer(name, server, connectors));
  const there = read.filter(({ connector }) => connector !== null);
  const missing = read.filter(({ connector }) => connector === null);
  const more = servers.length - read.length;
  return [
    ...(there.length === 0 ? [] : [`There as connectors: ${listed(there)}.`]),
    ...(missing.length === 0 && more === 0
      ? []
      : [
          `Not started: ${listed(missing, more)}. What is reached over HTTP can be made a connector, and named in the routine.`,
        ]),
  ].join(" ");
}

function serversIn(text: string): [string, unknown][] | null {
  try {
    const file: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
    const servers = isObject(file) ? (file["mcpServers"] ?? {}) : null;
    return isObject(servers) ? Object.entries(servers) : null;
  } catch {
    return null;
  }
}

function readServer(name: string, server: unknown, connectors: ReadonlyMap<string | null, string>): Named {
  const plain = shown(name);
  const url = isObject(server) && typeof server["url"] === "string" ? server["url"] : null;
  if (url === null) return { name: plain, connector: null, what: "a command" };
  const address = normal(url);
  const connector = address === null ? undefined : connectors.get(address);
  if (connector !== undefined) return { name: plain, connector, what: connector };
  // No more than the host: an address may have a key in it.
  const host = address === null ? "an address that is not complete" : shown(new URL(address).host);
  return { name: plain, connector: null, what: host };
}

/** An address as it is compared: without what makes no difference. */
function normal(url: string): string | null {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return null;
  parsed.hash = "";
  return parsed.href.replace(/\/$/, "");
}

function listed(servers: readonly Named[], uncounted = 0): string {
  const names = servers.slice(0, NAMES_SHOWN).map(({ name, what }) => (name === what ? name : `${name} (${what})`));
  const more = servers.length - names.length + uncounted;
  return `${names.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
}

/** The file may be a stranger's: nothing of it passes for words of ours, or hides. */
function shown(text: string): string {
  const plain = text
    .slice(0, 2 * NAME_LENGTH)
    .replaceAll(UNSEEN, " ")
    .trim();
  return JSON.stringify(plain.length <= NAME_LENGTH ? plain : `${plain.slice(0, NAME_LENGTH)}…`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
