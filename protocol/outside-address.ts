/** Which addresses an instance calls because a person has named them: of the public internet alone. Pure. */
import { isPublicName } from "./public-name.ts";

/** This machine, as it may be named where the loopback is open. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/**
 * `URL` has taken an address apart as a request would be sent: whatever spelling a host has, here it is the one that counts.
 * Addresses, in any notation, are no names, and names of a private network lead to what was never meant for others.
 * @param url null for what is no address at all. @param hasLoopback whether http and https on this machine, at any port, may be called too.
 * @returns what is wrong with it, in words for people that follow a field's name; null when nothing is.
 */
export function outsideAddressFault(url: URL | null, hasLoopback = false): string | null {
  if (url === null || !/^https?:$/.test(url.protocol))
    return 'must be an https address, for example "https://example.com/mcp"';
  if (url.username !== "" || url.password !== "") return "must not contain a user name or password";
  if (url.hash !== "") return "must have no fragment";
  if (hasLoopback && LOOPBACK.includes(url.hostname)) return null;
  if (url.protocol !== "https:") return "must be an https address: what is sent there must not be read on the way";
  if (url.port !== "") return "must have no port: only port 443 is called";
  if (!isPublicName(url.hostname)) return "must name a host of the internet: no address, no name of a private network";
  return null;
}
