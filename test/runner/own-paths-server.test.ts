/** A container's ways out: what goes through its sockets to the instance and to hosts, and what does not. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { serveHosts } from "#sandbox-runner/engine/hosts-server.ts";
import { serveOwnPaths } from "#sandbox-runner/engine/own-paths-server.ts";
import { OutsideTally } from "#sandbox-runner/network/outside-tally.ts";
import { runnersWayOut } from "#sandbox-runner/network/runners-way-out.ts";
import { direct } from "#sandbox-runner/network/way-out.ts";
import { startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { until } from "./support/until.ts";

const RUN = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const LINK = `/runner/runs/${RUN}/link`;
const SETUP = `/runner/runs/${RUN}/setup/${"0a".repeat(32)}`;
const MODEL = `/proxy/${RUN}/model/v1/messages`;

let folder: string;
let instance: Server;
let out: { close(): Promise<void> };
/** What whoever is asked says. */
let answers: { status: number; headers: Record<string, string> };
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
      response.writeHead(answers.status, answers.headers).end("answered");
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
  answers = { status: 200, headers: {} };
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
function say(bytes: string, where: string | number = join(folder, "out.sock")): Promise<string> {
  return new Promise((answered) => {
    const place = typeof where === "string" ? { path: where } : { port: where, host: "127.0.0.1" };
    const socket = connect(place, () => socket.write(bytes));
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

describe("the socket for hosts", () => {
  const POLICY = { level: "custom" as const, allow: ["*.acme.dev"] };
  let hosts: { close(): Promise<void> };
  /** How often it was asked what a name leads to. */
  let looked: string[];
  let path: string;
  beforeEach(async () => {
    path = join(folder, "hosts.sock");
    looked = [];
    const resolve = async (host: string) => {
      looked.push(host);
      return [host.startsWith("private.") ? "10.0.0.1" : "93.184.215.14"];
    };
    const port = (instance.address() as AddressInfo).port;
    const way = direct({ resolve, dial: () => connect(port, "127.0.0.1") });
    hosts = await serveHosts({ socketPath: path, runId: RUN, out: way });
  });
  afterEach(() => hosts.close());

  /** By the socket itself, past the relay that whoever is in the container has before it. */
  const past = (bytes: string) => say(bytes, path);
  const get = (host: string) => `GET http://${host}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

  it("lets nothing through before it is told the policy, and after that what the policy allows", async () => {
    expect(await past(get("www.acme.dev"))).toBe("HTTP/1.1 403 Forbidden by the network policy");
    await runnersWayOut(path, POLICY);
    expect(await past(get("www.acme.dev"))).toBe("HTTP/1.1 200 OK");
    expect(await past(get("evil.com"))).toBe("HTTP/1.1 403 Forbidden by the network policy");
    expect(await past("CONNECT evil.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")).toBe(
      "HTTP/1.1 403 Forbidden by the network policy",
    );
    expect(await past("CONNECT www.acme.dev:22 HTTP/1.1\r\nHost: x\r\n\r\n")).toBe(
      "HTTP/1.1 403 Forbidden by the network policy",
    );
    expect(await past(`GET http://reveille.internal${LINK} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/ 403 /);
    expect(looked).toEqual(["www.acme.dev"]);
  });

  it("is told once: nothing in the container makes it more", async () => {
    const put = (body: string) => `PUT /policy HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (const body of ["", "{}", '{"level":"all","allow":[]}']) expect(await past(put(body))).toMatch(/ 400 /);
    await runnersWayOut(path, POLICY);
    await expect(runnersWayOut(path, { level: "full", allow: [] })).rejects.toThrow("409");
    expect(await past(get("evil.com"))).toMatch(/ 403 /);
  });

  it("finds what a name leads to, which is counted and told by the relay before it", async () => {
    const relay = await startRelay({ instanceUrl: "http://127.0.0.1:1", dialForMs: 0 });
    const [tally, told] = [new OutsideTally(), [] as string[]];
    const outside = { policy: POLICY, out: await runnersWayOut(path, POLICY), tally };
    relay.serve({ runId: RUN, repositories: 1 }, ({ message }) => told.push(message), outside);
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for (const bytes of [
      get("private.acme.dev"),
      `GET http://private.acme.dev/ HTTP/1.1\r\nHost: x\r\n${upgrade}`,
      "CONNECT private.acme.dev:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    ]) {
      expect(await say(bytes, relay.port)).toBe("HTTP/1.1 403 Forbidden by the network policy");
    }
    expect(looked).toHaveLength(3);
    expect(tally.rows).toEqual([
      { host: "private.acme.dev", allowed: false, requests: 3, bytes_sent: 0, bytes_received: 0 },
    ]);
    expect(told).toEqual(["private.acme.dev leads to no public address."]);
    await relay.close();
  });

  it("passes on what a host says, also where that looks like a refusal of this side's", async () => {
    answers = { status: 403, headers: { "x-deny-reason": "host_not_allowed", connection: "close, x-deny-reason" } };
    const relay = await startRelay({ instanceUrl: "http://127.0.0.1:1", dialForMs: 0 });
    const tally = new OutsideTally();
    relay.serve({ runId: RUN, repositories: 1 }, undefined, {
      policy: POLICY,
      out: await runnersWayOut(path, POLICY),
      tally,
    });
    expect(await say(get("www.acme.dev"), relay.port)).toBe("HTTP/1.1 403 Forbidden");
    expect(tally.rows).toMatchObject([{ host: "www.acme.dev", allowed: true, requests: 1 }]);
    await relay.close();
  });
});
