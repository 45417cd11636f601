/** Requests of a runner to its instance, in the name of one attempt: bodies of any length, as streams. */
import { createReadStream } from "node:fs";
import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline, type Readable, Transform } from "node:stream";
import { TransferPace } from "./transfer-pace.ts";

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

export interface InstanceAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Breaks where it comes too slowly. Of an answer to `PUT` it is read already. */
  body: Readable;
}

/**
 * What is sent and what comes may take as long as it goes on, see `TransferPace`, until the signal ends it.
 * @throws when the instance gives no answer, or takes a file too slowly.
 */
export function askInstance(
  { instanceUrl, linkToken }: InstanceAccess,
  { method, path, headers, signal, file }: InstanceRequest,
): Promise<InstanceAnswer> {
  const url = new URL(`${instanceUrl}${path}`);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const pace = new TransferPace();
  const until = AbortSignal.any([signal, pace.signal]);
  return new Promise<InstanceAnswer>((answered, failed) => {
    const asked = {
      method,
      headers: { ...headers, authorization: `Bearer ${linkToken}` },
      signal: until,
      agent: false,
    };
    const request = send(url, asked);
    request.once("response", (answer) => {
      const body = paced(answer, pace);
      if (method === "PUT") body.resume();
      answered({ status: answer.statusCode ?? 0, headers: answer.headers, body });
    });
    const fail = (error: unknown) => {
      pace.end();
      failed(pace.signal.aborted ? pace.signal.reason : error);
    };
    request.once("error", fail);
    if (file === undefined) request.end();
    // An instance that answers early, with a refusal, reads no more of it.
    else pipeline(createReadStream(file), counted(pace), request, (error) => error && fail(error));
  });
}

/** The body of an answer, which breaks with the pace. */
function paced(answer: IncomingMessage, pace: TransferPace): Readable {
  const body = counted(pace);
  // A body that breaks off fails whoever reads it; nobody may.
  body.on("error", () => {});
  pace.signal.addEventListener("abort", () => body.destroy(pace.signal.reason as Error), { once: true });
  pipeline(answer, body, () => pace.end());
  return body;
}

function counted(pace: TransferPace): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      pace.passed(chunk.length);
      done(null, chunk);
    },
  });
}
