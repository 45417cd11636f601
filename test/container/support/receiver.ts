/** Whoever is told of what happens to runs: at an address as notifications demand it, which leads to this machine for one instance alone. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { Webhook } from "standardwebhooks";
import { makeCertificate, noCertificates } from "#test/runner/support/internet.ts";
import type { StartOptions } from "#test/scripts/support/started-instance.ts";

const NAME = "receiver.example.com";
/** Gives a program a table of hosts of its own, and becomes it. */
const WITH_HOSTS = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';

/** Why there can be no receiver here; null when there can be one. */
export const NO_RECEIVER =
  process.geteuid?.() === 0 ? noCertificates : "a receiver at port 443 and a table of hosts take root";

interface Received {
  headers: Record<string, string>;
  body: string;
}

export class Receiver {
  readonly address = `https://${NAME}/hook`;
  readonly received: Received[] = [];
  readonly #folder: string;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(folder: string, { key, certificate }: { key: string; certificate: string }) {
    this.#folder = folder;
    this.#server = createServer({ key, cert: certificate }, async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
      this.received.push({ headers: Object.fromEntries(headers), body: Buffer.concat(chunks).toString("utf8") });
      response.writeHead(204).end();
    });
  }

  static async start(): Promise<Receiver> {
    const folder = mkdtempSync(path.join(tmpdir(), "reveille-receiver-"));
    const made = makeCertificate([NAME]);
    const receiver = new Receiver(folder, made);
    // One of this machine's own addresses, beside whoever else has port 443 at the first of them.
    const address = `127.${[1, 2, 3].map(() => 1 + Math.floor(Math.random() * 250)).join(".")}`;
    writeFileSync(path.join(folder, "hosts"), `${readFileSync("/etc/hosts", "utf8")}\n${address} ${NAME}\n`);
    writeFileSync(path.join(folder, "certificate.pem"), made.certificate);
    await new Promise<void>((ready, fail) => receiver.#server.once("error", fail).listen(443, address, ready));
    return receiver;
  }

  /** Starts an instance that reaches it. */
  get way(): Required<Pick<StartOptions, "command" | "env">> {
    const start = [process.execPath, "scripts/start.ts"];
    return {
      command: ["unshare", "--mount", "sh", "-c", WITH_HOSTS, "sh", path.join(this.#folder, "hosts"), ...start],
      env: { NODE_EXTRA_CA_CERTS: path.join(this.#folder, "certificate.pem") },
    };
  }

  /** What has come, as a receiver reads it that has the signing key. @throws Error where one is not signed with it. */
  read(signingKey: string): unknown[] {
    const webhook = new Webhook(signingKey);
    return this.received.map(({ headers, body }) => webhook.verify(body, headers));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
