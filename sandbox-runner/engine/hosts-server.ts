/**
 * The way of a container without a network to hosts of the internet: a Unix socket at which this runner's filtering proxy
 * listens. Root in the container alone can open it. The container's runner says what its run may reach, once and before there
 * is anything of the run's in the container: from then on nothing in there can change it.
 */
import { createServer, type IncomingMessage } from "node:http";
import { attemptNetworkSchema, type Network } from "#protocol/environment.ts";
import { OutsideProxy } from "../network/outside-proxy.ts";
import { OutsideTally } from "../network/outside-tally.ts";
import { POLICY_TARGET } from "../network/runners-way-out.ts";
import type { WayOut } from "../network/way-out.ts";
import { answer } from "../sandbox/forward.ts";
import { type Listening, listenAt } from "../sandbox/listen.ts";

export interface HostsOptions {
  socketPath: string;
  runId: string;
  /** How requests leave this machine. */
  out: WayOut;
}

/** Of four hundred names, as long as names can be. */
const LONGEST_POLICY = 131_072;

export async function serveHosts({ socketPath, runId, out }: HostsOptions): Promise<Listening> {
  let proxy = proxyWith({ level: "none", allow: [] });
  let isTold = false;
  /** @returns the status to answer with. */
  const take = async (request: IncomingMessage): Promise<number> => {
    const policy = await readPolicy(request);
    if (isTold) return 409;
    if (policy === null) return 400;
    isTold = true;
    proxy = proxyWith(policy);
    return 204;
  };
  const server = createServer((request, response) => {
    if (request.method !== "PUT" || request.url !== POLICY_TARGET) return proxy.request(request, response);
    take(request).then(
      (status) => response.writeHead(status, { connection: "close" }).end(),
      () => response.destroy(),
    );
  });
  server.on("upgrade", (request, socket, head) => proxy.upgrade(request, socket, head));
  server.on("connect", (request, socket, head) => proxy.connect(request, socket, head));
  return await listenAt(server, { path: socketPath });

  /** The container's own relay judges first, by the same rule, and counts and tells: what comes this far is let through, or bypasses it. */
  function proxyWith(policy: Network): OutsideProxy {
    return new OutsideProxy({
      runId,
      policy,
      out,
      tally: new OutsideTally(),
      onRefused: () => {},
      instance: (_request, response) =>
        answer(response, "proxy_refused", "A run asks its instance by its relay alone."),
    });
  }
}

/** @returns null for what is none. @throws Error when it breaks off. */
async function readPolicy(request: IncomingMessage): Promise<Network | null> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > LONGEST_POLICY) return null;
  }
  try {
    return attemptNetworkSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
