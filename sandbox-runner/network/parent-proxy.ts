/** Which proxy this machine has its programs go by, as they all read it: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. */
import { byParent, direct, type WayOut } from "./way-out.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export const PROXY_VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** The way out of a machine with these variables. What is no address of a proxy of HTTP counts as none. */
export function machinesWayOut(environment: Environment): WayOut {
  const straight = direct();
  const ways = { secure: proxied(environment, "HTTPS_PROXY"), plain: proxied(environment, "HTTP_PROXY") };
  const isStraight = exceptions(read(environment, "NO_PROXY"));
  return {
    secure: (host) => (isStraight(host, 443) ? straight : (ways.secure ?? straight)).secure(host),
    plain: (host) => (isStraight(host, 80) ? straight : (ways.plain ?? straight)).plain(host),
  };
}

function proxied(environment: Environment, name: string): WayOut | null {
  const parent = parentOf(read(environment, name) || read(environment, "ALL_PROXY"));
  return parent === null ? null : byParent(parent);
}

/** Lower case first, as curl has it. */
function read(environment: Environment, name: string): string {
  return environment[name.toLowerCase()] || environment[name] || "";
}

/** @param text an address; without a scheme it is one of HTTP. */
export function parentOf(text: string): URL | null {
  if (text === "") return null;
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") ? url : null;
}

/** @param list names with a comma or space between them, each for itself and all names below; `*` for every name. */
export function exceptions(list: string): (host: string, port: number) => boolean {
  const entries = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map((entry) => /^(?:\*?\.)?(.*?)(?::([0-9]+))?$/.exec(entry) ?? []);
  return (host, port) =>
    entries.some(([whole, name = "", its]) => {
      if (its !== undefined && Number(its) !== port) return false;
      return whole === "*" || host === name || host.endsWith(`.${name}`);
    });
}
