/** A Docker-compatible container engine of this machine, asked over its socket. */
import { request } from "node:http";
import { failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";

/** Where Docker listens when nothing else is said. */
const DEFAULT_ENGINE = "unix:///var/run/docker.sock";
/** The image of the side-cars, in the version that this project's Miniflare works with. */
export const PUBLIC_SIDECAR =
  "cloudflare/proxy-everything:3cb1195@sha256:0ef6716c52430096900b150d84a3302057d6cd2319dae7987128c85d0733e3c8";

export interface EngineAnswer {
  status: number;
  text: string;
}

/** @param given DOCKER_HOST. @returns the engine's address, which is a socket's: those who start containers know no other. */
export function engineAddress(given: string | undefined): Outcome<string> {
  const address = given ?? DEFAULT_ENGINE;
  if (/^unix:\/\/\/./.test(address)) return succeeded(address);
  return failed(
    `DOCKER_HOST is "${address}": a local instance uses an engine of this machine, by its socket. Set it to the socket's address, for example DOCKER_HOST=${DEFAULT_ENGINE}.`,
  );
}

/**
 * @param engine its address, as `engineAddress` gives it. @param path with its query. @param body sent as JSON.
 * @throws Error when it can't be reached, or has not answered in time.
 */
export function askEngine(
  engine: string,
  method: "GET" | "POST" | "DELETE",
  path: string,
  deadlineMs: number,
  body?: unknown,
): Promise<EngineAnswer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const fail = (error: Error) =>
      reject(signal.aborted ? new Error(`it has not answered in ${deadlineMs / 1_000} s`) : error);
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request({ socketPath: socketOf(engine), method, path, headers, signal }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      answer.once("error", fail);
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.once("error", fail).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Whether the engine has an image of this name. @throws Error as `askEngine` does, and when the engine answers neither. */
export async function hasImage(engine: string, image: string, deadlineMs: number): Promise<boolean> {
  const { status, text } = await askEngine(engine, "GET", `/images/${image}/json`, deadlineMs);
  if (status === 200 || status === 404) return status === 200;
  throw new Error(`it answered ${status}: ${text.slice(0, 200)}`);
}

/** @returns null, or why the engine can't be used. */
export async function faultOfEngine(engine: string, deadlineMs: number): Promise<string | null> {
  try {
    const { status } = await askEngine(engine, "GET", "/_ping", deadlineMs);
    return status === 200 ? null : `it answered ${status}`;
  } catch (error) {
    return messageOf(error);
  }
}

function socketOf(engine: string): string {
  return engine.replace(/^unix:\/\//, "");
}
