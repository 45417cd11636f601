/**
 * Asks for addresses as they are written, and prints what came of each, packed: by the proxy that it is told of, where there is
 * one. It runs in a container, as one command of the agent.
 * @see ../policy.e2e.ts
 * @see ../engine.e2e.ts
 */
import { execFileSync } from "node:child_process";
import { isIP } from "node:net";
import { gzipSync } from "node:zlib";
import { EVERYBODY, overTls, raw, request, throughProxy } from "./exchange.mjs";

const UPGRADE = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };
/** The name that TLS begins with where the host is none that it could say. */
const ANY_NAME = "nodejs.org";
/** Names that TLS can say. */
const NAME = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/i;

const proxy = URL.parse(process.env.HTTP_PROXY ?? "");

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
  const address = ask.replaceAll("OWN_RUN", own);
  const [, scheme, host = "", target = "/"] = /^(https?):\/\/([^/?#]*)(.*)$/.exec(address) ?? [];
  const headers = isUpgrade ? UPGRADE : {};
  if (scheme !== "https") {
    if (proxy === null) return raw(80, EVERYBODY, request(host, target, headers));
    return raw(Number(proxy.port), proxy.hostname, request(host, address, headers));
  }
  const name = host.replace(/:\d+$/, "");
  const servername = NAME.test(name) && isIP(name) === 0 ? name : ANY_NAME;
  const text = request(host, target, headers);
  if (proxy === null) return overTls(servername, text);
  const authority = /:\d+$/.test(host) ? host : `${host}:443`;
  return throughProxy({ host: proxy.hostname, port: Number(proxy.port) }, authority, servername, text);
}
