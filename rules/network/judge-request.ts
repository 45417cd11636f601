/** Where a request that leaves a run's sandbox may go: to its own instance, to a host that the policy allows, or nowhere. */
import { INSTANCE_HOST } from "#protocol/container-brief.ts";
import type { Network } from "#protocol/environment.ts";
import type { Refusal } from "#protocol/errors.ts";
import { isPublicName } from "#protocol/public-name.ts";
import { type OwnPathKind, ownPathKind } from "./own-paths.ts";
import { TRUSTED_HOSTS } from "./trusted-hosts.ts";

const TRUSTED_NAMES = Object.values(TRUSTED_HOSTS).flat();

/** What a run has for which nothing else was said. */
export const TRUSTED: Network = { level: "trusted", allow: [] };

/** What a refused request is told in `X-Deny-Reason`. */
export type DenyReason = "host_not_allowed" | "path_not_allowed" | "websocket_not_allowed";

export type Verdict =
  | { to: "instance"; kind: OwnPathKind; url: URL }
  | { to: "internet"; url: URL }
  | { to: "nowhere"; reason: DenyReason; refusal: Refusal };

export interface OutboundRequest {
  method: string;
  /** As it is asked for afterwards: what is judged and what is asked must not differ. Null for what is no address at all. */
  url: URL | null;
  /** Whether it asks to become a WebSocket. */
  isUpgrade: boolean;
}

const SHOWN_LENGTH = 100;

/** @param run its id, and what it may reach. */
export function judgeRequest(request: OutboundRequest, run: { id: string; policy: Network }): Verdict {
  const { method, url, isUpgrade } = request;
  if (url === null) return deny("host_not_allowed", "host_not_allowed", "What was asked for is no address of a host.");
  if (!isPlain(url)) return denyForm(url);
  if (url.hostname === INSTANCE_HOST) {
    const kind = ownPathKind(`${url.pathname}${url.search}`, run.id);
    return kind === null ? denyPath(method, url.pathname) : within(kind, url, isUpgrade);
  }
  return reaches(run.policy, url.hostname) ? { to: "internet", url } : denyHost(url.hostname);
}

/**
 * Whether a policy lets a run talk with a host. `none`: with no host. `trusted`: with the trusted hosts and those of `allow`.
 * `custom`: with those of `allow` alone. `full`: with every public one.
 * @param hostname in lower case, as `URL` has it.
 */
function reaches({ level, allow }: Network, hostname: string): boolean {
  if (level === "none" || !isPublicName(hostname)) return false;
  if (level === "full" || (level === "trusted" && isAmong(TRUSTED_NAMES, hostname))) return true;
  return isAmong(allow, hostname);
}

function isAmong(names: readonly string[], hostname: string): boolean {
  return names.some((name) => (name.startsWith("*.") ? hostname.endsWith(name.slice(1)) : hostname === name));
}

/** HTTP or HTTPS at its own port, without a user in the address. */
function isPlain({ protocol, port, username, password }: URL): boolean {
  return (protocol === "http:" || protocol === "https:") && port === "" && username === "" && password === "";
}

function within(kind: OwnPathKind, url: URL, isUpgrade: boolean): Verdict {
  return isUpgrade && kind !== "link" ? denyUpgrade(INSTANCE_HOST) : { to: "instance", kind, url };
}

function denyHost(host: string): Verdict {
  const message = `The network policy of this run does not allow ${shown(host)}.`;
  return deny("host_not_allowed", "host_not_allowed", message);
}

function denyForm({ host, protocol }: URL): Verdict {
  const message = `A run reaches hosts by HTTP at port 80 and by HTTPS at port 443, without a user in the address: not ${shown(`${protocol}//${host}`)}.`;
  return deny("host_not_allowed", "host_not_allowed", message);
}

function denyPath(method: string, path: string): Verdict {
  const message = `A run may ask its instance for its own paths only, not ${shown(method)} ${shown(path)}.`;
  return deny("path_not_allowed", "proxy_refused", message);
}

function denyUpgrade(host: string): Verdict {
  return deny("websocket_not_allowed", "proxy_refused", `A run may open no WebSocket to ${shown(host)}.`);
}

function deny(reason: DenyReason, code: Refusal["code"], message: string): Verdict {
  return { to: "nowhere", reason, refusal: { code, message, reason } };
}

function shown(text: string): string {
  return text.replace(/[^!-~]/g, "?").slice(0, SHOWN_LENGTH);
}
