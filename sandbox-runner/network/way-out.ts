/** How a runner opens connections to hosts of the internet: directly, or by a proxy that its machine has. */
import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { isPublicAddress } from "./public-addresses.ts";

/** The name leads to addresses of this machine or of a private network alone. */
export class NotPublic extends Error {}

export interface PlainConnection {
  socket: Socket;
  /** What stands before a request's path: a proxy wants the whole address. */
  prefix: string;
  /** Whether a proxy is asked, which may refuse what it is asked for in its own name. */
  isProxy: boolean;
  headers: readonly (readonly [name: string, value: string])[];
}

export interface WayOut {
  /** A connection on which TLS is spoken with the host. @throws NotPublic, and Error where nobody answers. */
  secure(host: string): Promise<Socket>;
  /** A connection on which one request for `http://HOST/…` is sent. @throws as `secure`. */
  plain(host: string): Promise<PlainConnection>;
}

const PORTS = { plain: 80, secure: 443 } as const;
/** For one address; another may answer. */
const DIAL_MS = 10_000;
/** A proxy first has to find and dial the host. */
const TUNNEL_MS = 30_000;
/** Of what a proxy answers to CONNECT. */
const ANSWER_BYTES = 16_384;

export interface Dialling {
  resolve(host: string): Promise<string[]>;
  dial(address: string, port: number): Socket;
}

const DIALLING: Dialling = {
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  dial: (address, port) => connect(port, address),
};

/** The address that was checked is the one that is dialled: a name may lead elsewhere a moment later. */
export function direct({ resolve, dial }: Dialling = DIALLING): WayOut {
  const open = async (host: string, port: number) => {
    const addresses = (await resolve(host)).filter((address) => isPublicAddress(address));
    if (addresses.length === 0) throw new NotPublic(host);
    let failure: unknown;
    for (const address of addresses) {
      try {
        return await opened(dial(address, port), "connect", DIAL_MS);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };
  return {
    secure: (host) => open(host, PORTS.secure),
    plain: async (host) => ({ socket: await open(host, PORTS.plain), prefix: "", isProxy: false, headers: [] }),
  };
}

/** By a proxy of HTTP. @param parent its address. */
export function byParent(parent: URL): WayOut {
  return byProxy(() => reach(parent), credentials(parent));
}

/** By a proxy of HTTP that listens at a Unix socket. */
export function bySocket(path: string): WayOut {
  return byProxy(() => opened(connect({ path }), "connect", DIAL_MS), []);
}

/** A proxy finds hosts by itself, so what a name leads to is for it to judge. */
function byProxy(dial: () => Promise<Socket>, headers: PlainConnection["headers"]): WayOut {
  return {
    secure: async (host) => await tunnel(await dial(), `${host}:${PORTS.secure}`, headers),
    plain: async (host) => ({ socket: await dial(), prefix: `http://${host}`, isProxy: true, headers }),
  };
}

async function reach({ protocol, hostname, port }: URL): Promise<Socket> {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (protocol === "https:") {
    return await opened(connectTls({ host, port: Number(port || 443), servername: host }), "secureConnect", DIAL_MS);
  }
  return await opened(connect(Number(port || 80), host), "connect", DIAL_MS);
}

function credentials({ username, password }: URL): [string, string][] {
  if (username === "") return [];
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return [["Proxy-Authorization", `Basic ${Buffer.from(plain).toString("base64")}`]];
}

async function tunnel(socket: Socket, authority: string, headers: PlainConnection["headers"]): Promise<Socket> {
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, ...headers.map((pair) => pair.join(": "))];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const head = await within(TUNNEL_MS, socket, readHead(socket));
  const status = /^HTTP\/1\.[01] ([0-9]{3})/.exec(head)?.[1];
  if (status?.startsWith("2")) return socket;
  socket.destroy();
  if (/^x-deny-reason:/im.test(head)) throw new NotPublic(authority);
  throw new Error(`the proxy answered ${status ?? "in no known form"}`);
}

/** Reads up to the empty line; what comes behind it stays to be read. */
function readHead(socket: Socket): Promise<string> {
  return new Promise((settle, fail) => {
    let bytes = Buffer.alloc(0);
    const done = () => {
      socket.off("data", take).off("error", fail).off("close", onClose);
      socket.pause();
    };
    const onClose = () => fail(new Error("the proxy closed the connection"));
    const take = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0 && bytes.length <= ANSWER_BYTES) return;
      done();
      if (end >= 0 && end + 4 < bytes.length) socket.unshift(bytes.subarray(end + 4));
      settle(bytes.subarray(0, Math.max(end, 0)).toString("latin1"));
    };
    socket.on("data", take).once("error", fail).once("close", onClose);
  });
}

async function opened(socket: Socket, event: "connect" | "secureConnect", deadlineMs: number): Promise<Socket> {
  await within(
    deadlineMs,
    socket,
    new Promise<void>((settle, fail) => {
      socket.once(event, settle).once("error", fail);
    }),
  );
  return socket;
}

/** Waits for what is to come of a socket, which is destroyed when that fails or takes too long. */
async function within<Value>(deadlineMs: number, socket: Socket, coming: Promise<Value>): Promise<Value> {
  // What goes wrong later is told by its end.
  socket.on("error", () => {});
  const timer = setTimeout(() => socket.destroy(new Error("it did not answer")), deadlineMs);
  try {
    return await coming;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
