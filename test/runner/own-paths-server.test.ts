/** A container's way out: what goes through its socket to the instance, and what does not. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { serveOwnPaths } from "#sandbox-runner/engine/own-paths-server.ts";
import { until } from "./support/until.ts";

const RUN = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const LINK = `/runner/runs/${RUN}/link`;
const SETUP = `/runner/runs/${RUN}/setup/${"0a".repeat(32)}`;
const MODEL = `/proxy/${RUN}/model/v1/messages`;

let folder: string;
let instance: Server;
let out: { close(): Promise<void> };
/** What reached the instance. */
let reached: { line: string; headers: string[]; body: string }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reveille-out-"));
  instance = createServer((incoming, response) => {
    let body = "";
    incoming.on("data", (chunk) => {
      body += chunk;
    });
    incoming.on("end", () => {
      reached.push({ line: `${incoming.method} ${incoming.url}`, headers: Object.keys(incoming.headers), body });
      response.writeHead(200).end("answered");
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  instance.on("upgrade", (incoming, socket, head) => {
    reached.push({ line: `upgrade ${incoming.url}`, headers: Object.keys(incoming.headers), body: "" });
    if (incoming.headers.authorization !== "Bearer link-token") {
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    } else
      sockets.handleUpgrade(incoming, socket, head, (opened) =>
        opened.on("message", (text) => opened.send(`${text}!`)),
      );
  });
  await new Promise<void>((ready) => instance.listen(0, "127.0.0.1", ready));
  const instanceUrl = `http://127.0.0.1:${(instance.address() as AddressInfo).port}`;
  out = await serveOwnPaths({ instanceUrl, socketPath: join(folder, "out.sock"), runId: RUN, dialForMs: 0 });
});
beforeEach(() => {
  reached = [];
});
afterAll(async () => {
  await out.close();
  instance.closeAllConnections();
  instance.close();
  rmSync(folder, { recursive: true });
});

function ask(method: string, path: string, headers: Record<string, string> = {}, body = "") {
  return new Promise<{ status: number | undefined; text: string }>((answered, failed) => {
    const sent = request({ socketPath: join(folder, "out.sock"), method, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.once("end", () => answered({ status: response.statusCode, text }));
    });
    sent.once("error", failed);
    sent.end(body);
  });
}

/** Bytes as they are. @returns the first line of the answer. */
function say(bytes: string): Promise<string> {
  return new Promise((answered) => {
    const socket = connect(join(folder, "out.sock"), () => socket.write(bytes));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\r\n")) socket.destroy();
    });
    socket.on("error", () => {});
    socket.once("close", () => answered(text.split("\r\n")[0] ?? ""));
  });
}

function dialLink(path: string, token: string) {
  const socket = new WebSocket(`ws+unix://${join(folder, "out.sock")}:${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const refused = new Promise<string>((told) => socket.once("error", (error) => told(error.message)));
  return { socket, refused };
}

it("passes a model call on, and of its headers those alone that the proxies read", async () => {
  const headers = { authorization: "Bearer proxy", "content-type": "application/json", "x-forwarded-for": "1.2.3.4" };
  expect(await ask("POST", MODEL, headers, '{"a":1}')).toEqual({ status: 200, text: "answered" });
  expect(reached).toEqual([
    { line: `POST ${MODEL}`, headers: expect.arrayContaining(["authorization"]), body: '{"a":1}' },
  ]);
  expect(reached[0]?.headers).not.toContain("x-forwarded-for");
});

it("passes on what a runner keeps of a setup script, and asks for", async () => {
  const headers = { authorization: "Bearer link", "x-setup-sha256": "0a", "x-forwarded-for": "1.2.3.4" };
  expect(await ask("PUT", SETUP, headers, "archive")).toEqual({ status: 200, text: "answered" });
  expect(await ask("GET", SETUP, headers)).toEqual({ status: 200, text: "answered" });
  expect(reached.map(({ line, body }) => [line, body])).toEqual([
    [`PUT ${SETUP}`, "archive"],
    [`GET ${SETUP}`, ""],
  ]);
  expect(reached[0]?.headers).toEqual(expect.arrayContaining(["authorization", "x-setup-sha256"]));
  expect(reached[0]?.headers).not.toContain("x-forwarded-for");
});

it("lets a runner ask why its link was refused", async () => {
  expect(await ask("GET", LINK, { authorization: "Bearer other" })).toEqual({ status: 200, text: "answered" });
});

it("joins the run's own link, both ways, until one side ends", async () => {
  const { socket } = dialLink(LINK, "link-token");
  const heard: string[] = [];
  socket.on("message", (text) => heard.push(String(text)));
  await new Promise((opened) => socket.once("open", opened));
  socket.send("hello");
  await until("the answer", () => heard.length === 1);
  expect(heard).toEqual(["hello!"]);
  const closed = new Promise((ended) => socket.once("close", ended));
  instance.closeAllConnections();
  socket.close();
  await closed;
});

it("tells a link that is refused the instance's own status", async () => {
  expect(await dialLink(LINK, "another").refused).toContain("401");
});

it.each([
  ["GET", "/api/v1/routines"],
  ["GET", "/runner/pool"],
  ["GET", "/healthz"],
  ["POST", LINK],
  ["DELETE", SETUP],
  ["POST", SETUP],
  ["PUT", SETUP.replace("012", "013")],
  ["GET", LINK.replace("012", "013")],
  ["GET", `${LINK}?x=1`],
  ["POST", MODEL.replace("012", "013")],
  ["POST", `/proxy/${RUN}/../../api/v1/routines`],
  ["POST", `/proxy/${RUN}/%2e%2e/x`],
  ["POST", `/proxy/${RUN}//model/v1/messages`],
  ["GET", MODEL],
  ["GET", `/proxy/${RUN}/git/0/HEAD`],
])("refuses %s %s", async (method, path) => {
  expect((await ask(method, path)).status).toBe(403);
  expect(reached).toEqual([]);
});

it.each([
  ["a whole address", `GET http://x${LINK} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ["CONNECT", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["a GET with a body", `GET ${LINK} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`],
  [
    "a length of this connection alone",
    `POST ${MODEL} HTTP/1.1\r\nHost: x\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\nx`,
  ],
  [
    "an upgrade of a proxy path",
    `GET ${MODEL} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  ],
  [
    "an upgrade of the pool",
    "GET /runner/pool HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  ],
  ["an upgrade to something else", `GET ${LINK} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`],
])("refuses %s", async (_what, bytes) => {
  expect(await say(bytes)).toMatch(/^HTTP\/1\.1 403 /);
  expect(reached).toEqual([]);
});

it("takes so many connections at once and no more, and takes others when they end", async () => {
  const held = Array.from({ length: 300 }, () => connect(join(folder, "out.sock")).on("error", () => {}));
  await until("the rest is cut", () => held.filter(({ closed }) => closed).length === 300 - 256);
  for (const socket of held) socket.destroy();
  await until("there is room", async () => (await ask("POST", MODEL).catch(() => null))?.status === 200);
});
