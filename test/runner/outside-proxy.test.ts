/** The proxy of a sandbox on a machine: what it lets out, by real sockets; the hosts of the internet are servers of the tests. */
import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { networkSchema } from "#protocol/environment.ts";
import { OutsideTally } from "#sandbox-runner/network/outside-tally.ts";
import { byParent, direct, NotPublic, type WayOut } from "#sandbox-runner/network/way-out.ts";
import { type Relay, startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { OWN_RUN, POLICIES, POLICY_ROWS, type PolicyName } from "#test/support/policy-rows.ts";

const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const NOTHING = { bytes_sent: 0, bytes_received: 0 };
const PUBLIC = "93.184.215.14";

const servers: Server[] = [];
const relays = new Map<string, { relay: Relay; tally: OutsideTally; told: string[] }>();
/** What each host was asked on its port for HTTP, and with which name TLS began on the other. */
let asked: string[];
let begun: string[];
/** What a name leads to; a public address unless a test says otherwise. */
let leads: Map<string, string[]>;
let out: WayOut;

beforeAll(async () => {
  const listen = async (server: Server | ReturnType<typeof createServer>) => {
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    servers.push(server as Server);
    return (server.address() as AddressInfo).port;
  };
  const web = createHttpServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      asked.push(
        `${request.method} ${request.headers.host} ${request.url} ${Object.keys(request.headers).sort()} ${body}`,
      );
      if (request.url === "/away") response.writeHead(302, { location: "http://169.254.169.254/", "x-a": "1" }).end();
      else response.writeHead(200, { connection: "close, x-hop", "x-hop": "1", "x-kept": "1" }).end("answered");
    });
  });
  web.on("upgrade", (request, socket) => {
    asked.push(`upgrade ${request.headers.host} ${request.url}`);
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes");
  });
  const plain = await listen(web);
  const secure = await listen(
    createServer((socket) =>
      socket
        .on("error", () => {})
        .once("data", (bytes) => {
          begun.push(bytes.toString("latin1"));
          socket.end("from the host");
        }),
    ),
  );
  const instance = await listen(createHttpServer((_request, response) => response.writeHead(401).end("instance")));
  out = direct({
    resolve: async (host) => leads.get(host) ?? [PUBLIC],
    dial: (_address, port) => connect(port === 443 ? secure : plain, "127.0.0.1"),
  });
  for (const name of Object.keys(POLICIES)) relays.set(name, await relayOf(name as PolicyName, instance));
});
beforeEach(() => {
  [asked, begun, leads] = [[], [], new Map()];
});
afterAll(async () => {
  for (const { relay } of relays.values()) await relay.close();
  for (const server of servers) server.close();
});

async function relayOf(policy: PolicyName, instance: number, way = out) {
  const relay = await startRelay({ instanceUrl: `http://127.0.0.1:${instance}`, dialForMs: 0 });
  const [tally, told] = [new OutsideTally(), [] as string[]];
  const outside = { policy: networkSchema.parse(POLICIES[policy]), out: way, tally };
  relay.serve({ runId: OWN_RUN, repositories: 1 }, ({ code, message }) => told.push(`${code}: ${message}`), outside);
  return { relay, tally, told };
}

function dial(policy: PolicyName): Promise<Socket> {
  return new Promise((settle, fail) => {
    const socket = connect(relays.get(policy)?.relay.port ?? 0, "127.0.0.1", () => settle(socket));
    socket.once("error", fail);
  });
}

/** Sends bytes. @returns all that comes until the other side ends, or the first that comes where it does not. */
function say(socket: Socket, text: string, isWhole = true): Promise<string> {
  return new Promise((settle) => {
    let answer = "";
    const done = () => settle(answer);
    socket.on("data", (bytes) => {
      answer += bytes.toString("latin1");
      if (!isWhole) done();
    });
    socket.once("end", done).once("close", done).on("error", done);
    socket.write(text);
  });
}

async function ask(policy: PolicyName, text: string): Promise<string> {
  const socket = await dial(policy);
  return await say(socket, text).finally(() => socket.destroy());
}

/** A request as programs send it to a proxy: by its whole address. */
function absolute(address: string, more = ""): string {
  return `GET ${address} HTTP/1.1\r\nHost: other.example\r\n${more}\r\n`;
}

/** A tunnel, and what comes of TLS in it that names a host. */
async function tunnel(policy: PolicyName, authority: string, name: string, first?: string): Promise<string> {
  const socket = await dial(policy);
  const head = await say(socket, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`, false);
  if (!head.startsWith("HTTP/1.1 200")) return head;
  socket.removeAllListeners("data");
  if (first === undefined) connectTls({ socket, servername: name, ALPNProtocols: ["http/1.1"] }).on("error", () => {});
  else socket.write(first);
  await new Promise((settle) => socket.once("close", settle));
  return begun.length > 0 ? "tunnel" : "closed";
}

async function verdictOn(policy: PolicyName, address: string, isUpgrade: boolean): Promise<string> {
  // A program writes names of other scripts as DNS has them.
  const sent = /^[!-~]*$/.test(address) ? address : (URL.parse(address)?.href ?? address);
  const [, scheme, authority = ""] = /^(https?):\/\/([^/?#]*)/.exec(sent) ?? [];
  const host = authority.includes(":", authority.indexOf("]")) ? authority : `${authority}:443`;
  const answer =
    scheme === "https"
      ? await tunnel(policy, host, (URL.parse(sent)?.hostname ?? "").replace(/^\[|\]$/g, ""))
      : await ask(policy, absolute(sent, isUpgrade ? UPGRADE : "Connection: close\r\n"));
  const reason = /^x-deny-reason: (\S+)/im.exec(answer)?.[1];
  if (reason !== undefined) return reason;
  if (answer.startsWith("HTTP/1.1 401")) return "proxy";
  return answer === "tunnel" || /^HTTP\/1\.1 (?:200|101)/.test(answer) ? "internet" : answer;
}

describe("what a sandbox asks for", () => {
  it.each(POLICY_ROWS)(
    "$policy, upgrade $isUpgrade: $ask is for $verdict",
    async ({ policy, ask, isUpgrade, verdict }) => {
      expect(await verdictOn(policy, ask, isUpgrade)).toBe(verdict);
      expect(asked.length + begun.length).toBe(verdict === "internet" ? 1 : 0);
    },
  );
});

describe("a request by its whole address", () => {
  it("goes on as it was judged, without what belongs to the connection, and its answer comes back", async () => {
    const more = "Connection: close, x-mine\r\nX-Mine: 1\r\nProxy-Connection: close\r\nX-Kept: 1\r\n";
    const answer = await ask("trusted", absolute("http://NodeJS.org/a/../b?c=d", more));
    expect(asked).toEqual(["GET nodejs.org /b?c=d connection,host,x-kept "]);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*x-kept: 1\r\n.*answered/s);
    expect(answer).not.toContain("x-hop: 1");
  });

  it.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])(
    "%s carries its body, of either form",
    async (method) => {
      const forms = [
        "Content-Length: 5\r\nConnection: close\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      ];
      for (const form of forms)
        await ask("trusted", `${method} http://nodejs.org/x HTTP/1.1\r\nHost: nodejs.org\r\n${form}`);
      expect(asked.map((line) => line.replace(/ \S+ (?=\S*$)/, " "))).toEqual(
        Array(2).fill(`${method} nodejs.org /x hello`),
      );
    },
  );

  it("is a redirect's only when the program follows it", async () => {
    const answer = await ask("trusted", absolute("http://nodejs.org/away", "Connection: close\r\n"));
    expect(answer).toMatch(/^HTTP\/1\.1 302 Found\r\n.*location: http:\/\/169\.254\.169\.254\//s);
    expect(asked).toHaveLength(1);
  });

  it("hides no second one, and one behind it is judged by itself", async () => {
    const evil = "GET http://evil.com/ HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n";
    const get = "GET http://nodejs.org/1 HTTP/1.1\r\nHost: nodejs.org\r\n";
    const twice = await ask("trusted", `${get}\r\n${evil}`);
    expect(twice.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
    const post = "POST http://nodejs.org/2 HTTP/1.1\r\nHost: nodejs.org\r\n";
    for (const framing of [
      "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
      "Transfer-Encoding: chunked\r\nConnection: transfer-encoding\r\n\r\n0\r\n\r\n",
      "Content-Length: 4\r\nConnection: content-length\r\n\r\nabcd",
      "Transfer-Encoding: xchunked\r\n\r\n",
    ]) {
      expect(await ask("trusted", `${post}${framing}${evil}`)).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
    await ask("trusted", `${get}Content-Length: ${evil.length}\r\nConnection: close\r\n\r\n${evil}`);
    expect(asked).toEqual(Array(2).fill("GET nodejs.org /1 connection,host "));
  });

  it("needs no Host, which says nothing here", async () => {
    expect(await ask("trusted", "GET http://nodejs.org/ HTTP/1.0\r\n\r\n")).toMatch(/ 200 OK/);
    expect(await ask("trusted", "GET http://evil.com/ HTTP/1.0\r\nHost: nodejs.org\r\n\r\n")).toMatch(/ 403 /);
    expect(await ask("trusted", "GET / HTTP/1.0\r\nHost: nodejs.org\r\n\r\n")).toMatch(/ 403 /);
    expect(asked).toEqual(["GET nodejs.org / connection,host "]);
  });

  it.each(["", UPGRADE])("of TLS is never asked for in clear", async (more) => {
    const answer = await ask("trusted", absolute("https://nodejs.org/", `Authorization: Bearer x\r\n${more}`));
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*CONNECT/s);
    expect([asked, begun]).toEqual([[], []]);
  });

  it.each([
    "HTTP/1.1 200 O\x01K",
    "HTTP/1.1 200 \x7f",
    "HTTP/1.1 099 Low",
    "HTTP/1.1 000 None",
    "HTTP/1.1 2000 High",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x",
  ])("is answered, or cut, also where the host says %j", async (line) => {
    const host = createServer((socket) => socket.on("error", () => {}).end(`${line}\r\nContent-Length: 2\r\n\r\nok`));
    await new Promise<void>((ready) => host.listen(0, "127.0.0.1", ready));
    const { port } = host.address() as AddressInfo;
    const way = direct({ resolve: async () => [PUBLIC], dial: () => connect(port, "127.0.0.1") });
    const { relay, tally } = await relayOf("trusted", 1, way);
    relays.set(line, { relay, tally, told: [] });
    for (const more of ["Connection: close\r\n", UPGRADE]) {
      const answer = await ask(line as PolicyName, absolute("http://nodejs.org/", more));
      expect(answer).toMatch(
        more === UPGRADE ? /^(?:$|HTTP\/1\.1 (?:101|200|99|0) )/ : /^(?:$|HTTP\/1\.1 (?:200|503|99|0) )/,
      );
    }
    host.close();
  });
});

describe("a tunnel", () => {
  it.each([
    ["evil.com:443"],
    ["nodejs.org:22"],
    ["nodejs.org:8443"],
    ["nodejs.org"],
    ["nodejs.org:443@evil.com:443"],
    ["user@nodejs.org:443"],
    ["nodejs.org:443/x"],
    ["nodejs.org#evil.com:443"],
    ["[::1]:443"],
    ["127.1:443"],
    ["reveille.internal:443"],
    ["reveille.internal:22"],
    ["*:443"],
    [":443"],
  ])("to %s is none", async (authority) => {
    const answer = await ask("trusted", `CONNECT ${authority} HTTP/1.1\r\nHost: nodejs.org\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(begun).toEqual([]);
  });

  it("is closed where TLS names another host or none, and where what comes is no TLS", async () => {
    const { told } = relays.get("trusted") ?? { told: [] };
    expect(await tunnel("trusted", "nodejs.org:443", "nodejs.org")).toBe("tunnel");
    begun = [];
    for (const name of ["evil.com", "", "www.nodejs.org"]) {
      expect([name, await tunnel("trusted", "nodejs.org:443", name)]).toEqual([name, "closed"]);
    }
    for (const first of [
      "GET / HTTP/1.1\r\nHost: nodejs.org\r\n\r\n",
      "SSH-2.0-x\r\n",
      "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00",
    ]) {
      expect(await tunnel("trusted", "nodejs.org:443", "", first)).toBe("closed");
    }
    expect(told).toContain("host_not_allowed: A connection that was opened to nodejs.org names evil.com.");
  });

  it("to port 80 is HTTP, of which each request is judged", async () => {
    const inTunnel = async (requests: string) => {
      const socket = await dial("trusted");
      await say(socket, "CONNECT nodejs.org:80 HTTP/1.1\r\nHost: nodejs.org:80\r\n\r\n", false);
      socket.removeAllListeners("data");
      return await say(socket, requests);
    };
    const get = (path: string, host: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    expect(await inTunnel(get("/1", "nodejs.org"))).toMatch(/ 200 OK.*answered/s);
    expect(await inTunnel(get("/2", "nodejs.org:80"))).toMatch(/ 200 OK/);
    expect(await inTunnel("GET /3 HTTP/1.0\r\n\r\n")).toMatch(/ 200 OK/);
    for (const [path, host] of [
      ["/4", "evil.com"],
      ["http://evil.com/", "nodejs.org"],
      ["http://nodejs.org/", "nodejs.org"],
      ["*", "nodejs.org"],
    ] as const) {
      expect([path, (await inTunnel(get(path, host))).slice(0, 12)]).toEqual([path, "HTTP/1.1 403"]);
    }
    expect(await inTunnel(`GET /live HTTP/1.1\r\nHost: nodejs.org\r\n${UPGRADE}\r\n`)).toMatch(
      /^HTTP\/1\.1 101 .*frames$/s,
    );
    expect(asked.map((line) => line.split(" ", 3).join(" "))).toEqual([
      "GET nodejs.org /1",
      "GET nodejs.org /2",
      "GET nodejs.org /3",
      "upgrade nodejs.org /live",
    ]);
  });
});

describe("an allowed name", () => {
  it("that leads to this machine or a private network is refused, also where it leads elsewhere the next time", async () => {
    for (const addresses of [["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1", "fd00::1"], ["::ffff:127.0.0.1"]]) {
      leads.set("nodejs.org", addresses);
      expect(await verdictOn("trusted", "http://nodejs.org/", false)).toBe("host_not_allowed");
      expect(await verdictOn("trusted", "https://nodejs.org/", false)).toBe("host_not_allowed");
    }
    leads.set("nodejs.org", ["127.0.0.1", PUBLIC]);
    expect(await verdictOn("trusted", "http://nodejs.org/", false)).toBe("internet");
  });

  it("of which there is no host is told as that", async () => {
    leads.set("nodejs.org", []);
    const way: WayOut = {
      secure: () => Promise.reject(new Error("ENOTFOUND")),
      plain: () => Promise.reject(new Error("ENOTFOUND")),
    };
    const { relay, tally } = await relayOf("trusted", 1, way);
    relays.set("dead", { relay, tally, told: [] });
    for (const text of [absolute("http://nodejs.org/"), "CONNECT nodejs.org:443 HTTP/1.1\r\nHost: x\r\n\r\n"]) {
      expect(await ask("dead" as PolicyName, text)).toMatch(/^HTTP\/1\.1 503 .*nodejs\.org did not answer\./s);
    }
    expect(tally.rows).toEqual([{ ...NOTHING, host: "nodejs.org", allowed: true, requests: 2 }]);
  });
});

describe("by another proxy", () => {
  it("goes what that is asked for: HTTP by whole addresses, TLS by tunnels; what it denies is denied", async () => {
    const first = await relayOf("trusted", 1);
    const url = new URL(`http://us%3Aer:pass@127.0.0.1:${first.relay.port}`);
    const second = await relayOf("full", 1, byParent(url));
    relays.set("first", first).set("second", second);
    const policy = "second" as PolicyName;
    expect(await verdictOn(policy, "http://nodejs.org/x", false)).toBe("internet");
    expect(await verdictOn(policy, "https://nodejs.org/x", false)).toBe("internet");
    expect(await verdictOn(policy, "http://nodejs.org/live", true)).toBe("internet");
    expect(await verdictOn(policy, "http://evil.com/", false)).toBe("host_not_allowed");
    expect(await verdictOn(policy, "https://evil.com/", false)).toBe("host_not_allowed");
    expect(await ask(policy, "CONNECT evil.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
    expect(asked[0]).toBe("GET nodejs.org /x connection,host ");
  });
});

it("counts what waits for its host, and what is denied after all: once, as that", async () => {
  const gate = Promise.withResolvers<never>();
  const { relay, tally } = await relayOf("trusted", 1, { secure: () => gate.promise, plain: () => gate.promise });
  relays.set("slow", { relay, tally, told: [] });
  const requests = [absolute("http://nodejs.org/"), "CONNECT nodejs.org:443 HTTP/1.1\r\nHost: x\r\n\r\n"];
  const answers = Promise.all(requests.map((text) => ask("slow" as PolicyName, text)));
  await vi.waitFor(() => expect(tally.rows).toEqual([{ ...NOTHING, host: "nodejs.org", allowed: true, requests: 2 }]));
  gate.reject(new NotPublic("nodejs.org"));
  expect((await answers).every((answer) => answer.startsWith("HTTP/1.1 403 "))).toBe(true);
  expect(tally.rows).toEqual([{ ...NOTHING, host: "nodejs.org", allowed: false, requests: 2 }]);
});

it("counts a name that a tunnel was not opened for as what was asked for", async () => {
  const { relay, tally } = await relayOf("trusted", 1);
  relays.set("other", { relay, tally, told: [] });
  expect(await tunnel("other" as PolicyName, "nodejs.org:443", "evil.com")).toBe("closed");
  expect(tally.rows.map(({ host, allowed, requests }) => [host, allowed, requests]).sort()).toEqual([
    ["evil.com", false, 1],
    ["nodejs.org", true, 1],
  ]);
});

it("counts what each host was asked, and its bytes, and tells the same once", async () => {
  const { relay, tally, told } = await relayOf("trusted", 1);
  relays.set("counted", { relay, tally, told });
  const policy = "counted" as PolicyName;
  for (let count = 0; count < 3; count += 1) await ask(policy, absolute("http://evil.com/", "Connection: close\r\n"));
  await ask(
    policy,
    "POST http://nodejs.org/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n" +
      "x".repeat(1_000),
  );
  await tunnel(policy, "nodejs.org:443", "nodejs.org");
  const [evil, node] = tally.rows;
  expect(evil).toEqual({ ...NOTHING, host: "evil.com", allowed: false, requests: 3 });
  expect(node).toMatchObject({ host: "nodejs.org", allowed: true, requests: 2 });
  expect(node?.bytes_sent).toBeGreaterThan(1_200);
  expect(node?.bytes_received).toBeGreaterThan("from the host".length + 50);
  expect(told).toEqual(["host_not_allowed: The network policy of this run does not allow evil.com."]);
});
