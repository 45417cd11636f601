/** The way out of a container without a network: by the proxy of the runner that has started it. */
import { request as ask } from "node:http";
import type { Network } from "#protocol/environment.ts";
import { bySocket, type WayOut } from "./way-out.ts";

/** Where that proxy is told what the run may reach: `PUT`, once. */
export const POLICY_TARGET = "/policy";
const TELL_MS = 10_000;

/** @param socketPath where the proxy listens. @throws Error when it does not take the policy. */
export async function runnersWayOut(socketPath: string, policy: Network): Promise<WayOut> {
  const status = await new Promise<number>((answered, fail) => {
    const signal = AbortSignal.timeout(TELL_MS);
    const request = ask({ socketPath, method: "PUT", path: POLICY_TARGET, agent: false, signal }, (response) => {
      response.resume();
      answered(response.statusCode ?? 0);
    });
    request.once("error", fail);
    request.end(JSON.stringify(policy));
  });
  if (status !== 204) throw new Error(`The runner's proxy for hosts did not take the run's network policy: ${status}.`);
  return bySocket(socketPath);
}
