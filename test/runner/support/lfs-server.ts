/** A server of Git LFS by its documented API, before a git server of the same origin; the objects lie in a store with a secret of its own. */
import { createHash } from "node:crypto";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface LfsServer {
  url: string;
  /** Object id → its bytes. */
  objects: Map<string, Buffer>;
  /** Requests as `METHOD path`, without what is not of Git LFS. */
  asked: string[];
  /** Of the store: whoever has it reads and writes all objects. */
  secret: string;
  close(): Promise<void>;
}

/** @param credential `user:password`, which the batch API wants. */
export async function startLfsServer(gitUrl: string, credential: string): Promise<LfsServer> {
  const objects = new Map<string, Buffer>();
  const asked: string[] = [];
  const secret = "secret-of-the-store-0123456789";
  const server = createServer(async (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (!path.includes("/info/lfs/") && !path.startsWith("/store/")) return passOn(request, response, gitUrl);
    asked.push(`${request.method} ${path}`);
    const body = await bytesOf(request);
    const authorization = request.headers.authorization ?? "";
    if (path.startsWith("/store/")) {
      if (authorization !== `Bearer ${secret}`) return end(response, 403, {});
      return keep(request.method ?? "", path.slice("/store/".length), body, response);
    }
    if (authorization !== `Basic ${btoa(credential)}`) return end(response, 401, { message: "Who are you?" });
    if (path.endsWith("/objects/batch")) return end(response, 200, batch(JSON.parse(body.toString())));
    return end(response, 404, { message: "Not here." });
  });
  const keep = (method: string, oid: string, body: Buffer, response: ServerResponse) => {
    const held = objects.get(oid);
    if (method === "GET") {
      response.writeHead(held === undefined ? 404 : 200);
      return void response.end(held);
    }
    if (method === "PUT" && createHash("sha256").update(body).digest("hex") === oid) objects.set(oid, body);
    end(response, 200, {});
  };
  const batch = ({ operation, objects: wanted }: { operation: string; objects: { oid: string; size: number }[] }) => {
    const header = { Authorization: `Bearer ${secret}` };
    const at = (place: string) => ({ href: `${url}/store/${place}`, header, expires_in: 600 });
    return {
      transfer: "basic",
      objects: wanted.map(({ oid, size }) => {
        if (operation === "upload" && objects.has(oid)) return { oid, size };
        if (operation === "upload") return { oid, size, actions: { upload: at(oid), verify: at(`verify-${oid}`) } };
        if (!objects.has(oid)) return { oid, size, error: { code: 404, message: "Object does not exist" } };
        return { oid, size, actions: { download: at(oid) } };
      }),
    };
  };
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { url, objects, asked, secret, close };
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

function end(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/vnd.git-lfs+json" });
  response.end(JSON.stringify(body));
}

function passOn(request: IncomingMessage, response: ServerResponse, gitUrl: string): void {
  const { method, headers, url } = request;
  const asked = httpRequest(`${gitUrl}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  asked.once("error", () => response.destroy());
  request.pipe(asked);
}
