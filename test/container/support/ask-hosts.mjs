/**
 * Asks for addresses as they are written, and prints what came of each, packed. It runs in a container, as one command of the agent.
 * @see ../policy.e2e.ts
 */
import { execFileSync } from "node:child_process";
import { isIP } from "node:net";
import { gzipSync } from "node:zlib";
import { EVERYBODY, overTls, raw, request } from "./exchange.mjs";

const UPGRADE = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };
/** The name that TLS begins with where the host is none that it could say. */
const ANY_NAME = "nodejs.org";
/** Names that TLS can say. */
const NAME = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/i;

/** @type {{ ask: string, isUpgrade: boolean }[]} */
const asked = JSON.parse(process.argv[2] ?? "");
const settings = execFileSync("git", ["config", "--get-regexp", "extraheader"], { encoding: "utf8" });
const [own = ""] = /run_[0-9A-Z]{26}/.exec(settings) ?? [];
/** @type {Record<string, string>} */
const found = {};

await Promise.all(
  asked.map(async ({ ask, isUpgrade }) => {
    found[`${isUpgrade ? "upgrade " : ""}${ask}`] = await outcomeOf(ask, isUpgrade);
  }),
);
process.stdout.write(gzipSync(JSON.stringify(found)).toString("base64"));
process.exit(0);

/**
 * @param {string} ask
 * @param {boolean} isUpgrade
 */
function outcomeOf(ask, isUpgrade) {
  const [, scheme, host = "", target = "/"] = /^(https?):\/\/([^/?#]*)(.*)$/.exec(ask.replaceAll("OWN_RUN", own)) ?? [];
  const text = request(host, target, isUpgrade ? UPGRADE : {});
  if (scheme !== "https") return raw(80, EVERYBODY, text);
  const name = host.replace(/:\d+$/, "");
  return overTls(NAME.test(name) && isIP(name) === 0 ? name : ANY_NAME, text);
}
