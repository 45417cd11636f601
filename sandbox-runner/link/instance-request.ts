/** Requests of a runner to its instance, in the name of one attempt: bodies of any length, as streams. */
import { createReadStream } from "node:fs";
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";

/** Whom to ask, and as whom. */
export interface InstanceAccess {
  /** Without a slash at its end. */
  instanceUrl: string;
  /** No program of the agent's has it: what is asked, and kept, is the runner's word alone. */
  linkToken: string;
}

export interface InstanceRequest {
  method: "GET" | "PUT";
  path: string;
  headers?: OutgoingHttpHeaders;
  signal: AbortSignal;
  /** What is sent; nothing by default. */
  file?: string;
}

/** @throws when the instance gives no answer. */
export function askInstance(
  { instanceUrl, linkToken }: InstanceAccess,
  { method, path, headers, signal, file }: InstanceRequest,
): Promise<IncomingMessage> {
  const url = new URL(`${instanceUrl}${path}`);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((answered, fail) => {
    const asked = { method, headers: { ...headers, authorization: `Bearer ${linkToken}` }, signal, agent: false };
    const request = send(url, asked);
    request.once("response", (answer) => {
      // A body that breaks off fails whoever reads it; nobody may.
      answer.on("error", () => {});
      if (method === "PUT") answer.resume();
      answered(answer);
    });
    request.once("error", fail);
    if (file === undefined) request.end();
    // An instance that answers early, with a refusal, reads no more of it.
    else pipeline(createReadStream(file), request).catch(fail);
  });
}
