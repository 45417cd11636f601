/** One look of a watch: what the connector gives now, as items that can be compared. */
import type { Connector } from "#protocol/connector.ts";
import type { SeenItem } from "#protocol/watch.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { type ReadItem, readItems } from "#rules/watch/read-items.ts";
import { hashSecret as sha256Of } from "../secrets.ts";
import { askConnector, type ConnectorCall } from "./ask-connector.ts";
import type { McpParts } from "./mcp-client.ts";

export type Look = { ok: true; items: SeenItem[] } | { ok: false; detail: string };

interface Watched extends ConnectorCall {
  items?: string | undefined;
  key?: string | undefined;
}

const KEY_LENGTH = 200;
const LABEL_LENGTH = 100;

/** @param connector null where there is none of its name. Never rejects, and takes less than a call that is owed may. */
export async function look(parts: McpParts, connector: Connector | null, watched: Watched): Promise<Look> {
  if (connector === null) return { ok: false, detail: "There is no connector of this name, or it can't be read." };
  const answer = await askConnector(parts, connector, watched);
  if (!answer.ok) return answer;
  const read = readItems(answer.value, watched);
  return read.ok ? { ok: true, items: await Promise.all(read.items.map(seen)) } : read;
}

async function seen({ key, content, text }: ReadItem): Promise<SeenItem> {
  return {
    key: key.length <= KEY_LENGTH ? key : `sha256:${await sha256Of(key)}`,
    label: beginningOf(key.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " "), LABEL_LENGTH),
    hash: await sha256Of(content),
    text,
  };
}
