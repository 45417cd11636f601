/** Requests of a runner to its instance, in the name of one attempt: bodies of any length, as streams. */
import { createReadStream } from "node:fs";
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UploadPace } from "./upload-pace.ts";

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
  /** What is sent; nothing by default. It may take as long as it goes on, see `UploadPace`, until the signal ends it. */
  file?: string;
}

/** @throws when the instance gives no answer, or takes a file too slowly. */
export function askInstance(
  { instanceUrl, linkToken }: InstanceAccess,
  { method, path, headers, signal, file }: InstanceRequest,
): Promise<IncomingMessage> {
  const url = new URL(`${instanceUrl}${path}`);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const pace = file === undefined ? null : new UploadPace();
  const until = pace === null ? signal : AbortSignal.any([signal, pace.signal]);
  return new Promise<IncomingMessage>((answered, fail) => {
    const asked = {
      method,
      headers: { ...headers, authorization: `Bearer ${linkToken}` },
      signal: until,
      agent: false,
    };
    const request = send(url, asked);
    request.once("response", (answer) => {
      // A body that breaks off fails whoever reads it; nobody may.
      answer.on("error", () => {});
      if (method === "PUT") answer.resume();
      answered(answer);
    });
    const failed = (error: unknown) => fail(pace?.signal.aborted === true ? pace.signal.reason : error);
    request.once("error", failed);
    if (file === undefined || pace === null) request.end();
    // An instance that answers early, with a refusal, reads no more of it.
    else pipeline(createReadStream(file), counted(pace), request).catch(failed);
  }).finally(() => pace?.end());
}

function counted(pace: UploadPace): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      pace.passed(chunk.length);
      done(null, chunk);
    },
  });
}
