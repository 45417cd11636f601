/**
 * The internet of a test: a proxy of HTTP, as a runner's machine may have one, behind which hosts answer. What they say
 * is up to the test; HTTPS is spoken under certificates for the names that the test gives. Hosts below `private.` are let
 * through to nobody by the proxy itself, those below `dead.` do not answer.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";

/** @param url the whole address that was asked for. */
export type Site = (url: URL, response: ServerResponse) => void;

/** Why there can be no HTTPS here, or null. */
export const noCertificates: string | null = whyNone();

export class Internet {
  /** Whole addresses that were asked for, and hosts to which tunnels were. */
  readonly asked: string[] = [];
  /** What has to be trusted. */
  readonly certificate: string;
  readonly #site: Site;
  readonly #sockets = new Set<Duplex>();
  readonly #proxy = createServer((request, response) => this.#answer(request, response, request.url ?? ""));
  readonly #secure: ReturnType<typeof createSecureServer>;

  static async start(names: readonly string[], site: Site): Promise<Internet> {
    const internet = new Internet(makeCertificate(names), site);
    await new Promise<void>((ready) => internet.#proxy.listen(0, "127.0.0.1", ready));
    return internet;
  }

  private constructor({ key, certificate }: { key: string; certificate: string }, site: Site) {
    this.certificate = certificate;
    this.#site = site;
    this.#secure = createSecureServer({ key, cert: certificate }, (request, response) =>
      this.#answer(request, response, `https://${request.headers.host}${request.url}`),
    );
    this.#secure.on("upgrade", (request, socket) =>
      this.#upgrade(socket, `https://${request.headers.host}${request.url}`),
    );
    this.#proxy.on("upgrade", (request, socket) => this.#upgrade(socket, request.url ?? ""));
    this.#proxy.on("connect", (request, socket, head) => {
      this.asked.push(`CONNECT ${request.url}`);
      const refused = refusal(request.url ?? "");
      const headers = Object.entries(refused?.headers ?? {}).map((pair) => `${pair.join(": ")}\r\n`);
      socket.on("error", () => {});
      if (refused !== null) return void socket.end(`HTTP/1.1 ${refused.status} Refused\r\n${headers.join("")}\r\n`);
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      if (head.length > 0) socket.unshift(head);
      this.#secure.emit("connection", socket);
    });
    this.#proxy.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** The variables by which a machine's programs learn of it. */
  get variables(): Record<string, string> {
    const url = `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
    return { HTTP_PROXY: url, HTTPS_PROXY: url };
  }

  close(): void {
    this.#proxy.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse, address: string): void {
    this.asked.push(`${request.method} ${address}`);
    request.resume();
    const refused = refusal(new URL(address).host);
    if (refused === null) this.#site(new URL(address), response);
    else response.writeHead(refused.status, refused.headers).end();
  }

  #upgrade(socket: Duplex, address: string): void {
    this.asked.push(`UPGRADE ${address}`);
    socket.on("error", () => {});
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes");
  }
}

function refusal(host: string): { status: number; headers: Record<string, string> } | null {
  if (host.startsWith("dead.")) return { status: 502, headers: {} };
  if (!host.startsWith("private.")) return null;
  return { status: 403, headers: { "x-deny-reason": "host_not_allowed", connection: "close, x-deny-reason" } };
}

/** For these names, signed by itself. */
export function makeCertificate(names: readonly string[]): { key: string; certificate: string } {
  const folder = mkdtempSync(join(tmpdir(), "reveille-certificate-"));
  const files = { key: join(folder, "key.pem"), certificate: join(folder, "certificate.pem") };
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
  const subject = ["-subj", "/CN=Hosts of a test", "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`)}`];
  try {
    execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", files.key, "-out", files.certificate], {
      stdio: "ignore",
    });
    return { key: readFileSync(files.key, "utf8"), certificate: readFileSync(files.certificate, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function whyNone(): string | null {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return null;
  } catch {
    return "there is no openssl to make certificates with";
  }
}
