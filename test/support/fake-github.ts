/**
 * GitHub's API in memory, as far as the GitHub App needs it. *Documented*: written from the published types of
 * `@octokit/openapi-types` and GitHub's pages, not from what GitHub was seen to answer.
 */
import { FakeRepository, json, refused, type Shown } from "./fake-repository.ts";
import { hide } from "./hidden.ts";

interface FakeInstallation {
  id: number;
  account: string;
  /** Names without the owner; "all" for each of the account's. */
  repositories: "all" | string[];
  isSuspended?: boolean;
  /** What the installation was given; contents: write unless told otherwise. */
  contents?: "read" | "write";
  /** pull_requests: write unless told otherwise; an App that an earlier version has made was given `read`. */
  pullRequests?: "read" | "write";
  /** issues: write, in the same way. */
  issues?: "read" | "write";
}

export const API = "https://api.github.com";
const HOUR_MS = 3_600_000;
const CLIENT_SECRET = "client-secret-of-github";

export class FakeGithub {
  readonly app = { id: 4711, slug: "reveille-test", name: "Reveille test", client_id: "Iv1.test" };
  readonly installations: FakeInstallation[] = [];
  /** Codes that can be exchanged, and the App's private key in PKCS#1, as GitHub gives it. */
  readonly codes = new Set<string>();
  pem = "";
  webhookSecret: string | null = "webhook-secret-of-github-0123456789";
  /** Where it sends the App's webhooks. */
  webhookUrl = "https://r.test/webhooks/github";
  /** Every call, as `POST /app/installations/1/access_tokens`, with its body. */
  readonly asked: { call: string; body: Record<string, unknown> }[] = [];
  /** Answers in GitHub's place; null lets it answer itself. */
  trouble: ((call: string) => Response | Promise<Response | null> | null) | null = null;
  /** `acme/app`. */
  readonly repository = new FakeRepository();
  readonly pulls = this.repository.pulls;
  readonly branches = this.repository.branches;
  /** What each token may do. */
  readonly #tokens = new Map<string, Record<string, string>>();
  #minted = 0;
  /** By which it knows what the App has signed. */
  publicKey: CryptoKey | null = null;

  /** Draws the App's key. @returns it in PKCS#1. */
  async drawKey(): Promise<string> {
    const algorithm = {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    };
    const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
    this.publicKey = pair.publicKey;
    const pkcs8 = new Uint8Array((await crypto.subtle.exportKey("pkcs8", pair.privateKey)) as ArrayBuffer);
    // Version, algorithm and the header of the octet string stand before the key of PKCS#1.
    const pem = btoa(String.fromCharCode(...pkcs8.subarray(26))).replaceAll(/(.{64})/g, "$1\n");
    // Of every form in which it is written a line is the same.
    hide(pem.split("\n")[5] ?? pem);
    return `-----BEGIN RSA PRIVATE KEY-----\n${pem}\n-----END RSA PRIVATE KEY-----\n`;
  }

  async answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const call = `${request.method} ${pathname}`;
    const text = await request.text();
    this.asked.push({ call, body: text === "" ? {} : JSON.parse(text) });
    const instead = await this.trouble?.(call);
    if (instead !== null && instead !== undefined) return instead;
    const code = /^POST \/app-manifests\/([^/]+)\/conversions$/.exec(call)?.[1];
    if (code !== undefined) return this.#convert(code);
    const isOfRepository = pathname.startsWith("/repos/acme/app") && !pathname.endsWith("/installation");
    if (isOfRepository || pathname === "/graphql") {
      const token = (request.headers.get("authorization") ?? "").replace(/^(?:bearer|token) /i, "");
      const permissions = this.#tokens.get(token);
      if (permissions === undefined) return refused(401, "Bad credentials");
      const accept = request.headers.get("accept") ?? "";
      return this.repository.answer({ method: request.method, pathname, search, text, accept, permissions });
    }
    if (!(await this.#isSigned(request.headers.get("authorization") ?? ""))) {
      return refused(401, "A JSON web token could not be decoded");
    }
    if (call === "GET /app") return json({ ...this.app } satisfies Shown<"integration">);
    if (call === "GET /app/hook/config") return json({ url: this.webhookUrl } satisfies Shown<"webhook-config">);
    if (call === "GET /app/installations") return json(this.installations.map(shown));
    const of = /^GET \/repos\/([^/]+)\/([^/]+)\/installation$/.exec(call);
    if (of !== null) {
      const found = this.installations.find(
        ({ account, repositories }) => account === of[1] && sees(repositories, of[2]),
      );
      return found === undefined ? refused(404, "Not Found") : json(shown(found));
    }
    const id = /^POST \/app\/installations\/(\d+)\/access_tokens$/.exec(call)?.[1];
    return id === undefined ? refused(404, "Not Found") : this.#mint(Number(id), JSON.parse(text));
  }

  /** An installation as GitHub shows it. */
  shown(id: number): Shown<"installation"> {
    return shown(this.installations.find((one) => one.id === id) ?? { id, account: "acme", repositories: [] });
  }

  #mint(id: number, wanted: { repositories?: string[]; permissions?: Record<string, string> }): Response {
    const found = this.installations.find((one) => one.id === id);
    if (found === undefined) return refused(404, "Not Found");
    if (found.isSuspended) return refused(403, "This installation has been suspended");
    if (wanted.repositories?.some((name) => !sees(found.repositories, name))) {
      return refused(
        422,
        "There is at least one repository that does not exist or is not accessible to the parent installation.",
      );
    }
    const { contents, pull_requests, issues } = wanted.permissions ?? {};
    const isMore =
      (found.contents === "read" && contents === "write") ||
      (found.pullRequests === "read" && pull_requests === "write") ||
      (found.issues === "read" && issues === "write");
    if (isMore) {
      return refused(422, "The permissions requested are not granted to this installation.");
    }
    this.#minted += 1;
    const expires_at = new Date(Date.now() + HOUR_MS).toISOString();
    const token = `ghs_${id}_${this.#minted}`;
    this.#tokens.set(token, wanted.permissions ?? {});
    return json({ token, expires_at, permissions: { contents: "write" } } satisfies Shown<"installation-token">, 201);
  }

  async #convert(code: string): Promise<Response> {
    if (!this.codes.delete(code)) return refused(404, "Not Found");
    if (this.webhookSecret !== null) hide(this.webhookSecret);
    hide(CLIENT_SECRET);
    const html_url = `https://github.com/apps/${this.app.slug}`;
    const secrets = { client_secret: CLIENT_SECRET, webhook_secret: this.webhookSecret, pem: this.pem };
    return json({ ...this.app, html_url, owner: { login: "acme" }, ...secrets }, 201);
  }

  async #isSigned(authorization: string): Promise<boolean> {
    const [, head, claims, signature] = /^bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(authorization) ?? [];
    if (head === undefined || claims === undefined || signature === undefined || this.publicKey === null) return false;
    if (JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).iss !== this.app.id) return false;
    const bytes = Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
      char.charCodeAt(0),
    );
    const signed = new TextEncoder().encode(`${head}.${claims}`);
    return crypto.subtle.verify("RSASSA-PKCS1-v1_5", this.publicKey, bytes, signed);
  }
}

function sees(repositories: FakeInstallation["repositories"], name = ""): boolean {
  return repositories === "all" || repositories.includes(name);
}

function shown({ id, account, repositories, isSuspended = false }: FakeInstallation): Shown<"installation"> {
  return {
    id,
    account: { login: account },
    repository_selection: repositories === "all" ? "all" : "selected",
    html_url: `https://github.com/organizations/${account}/settings/installations/${id}`,
    suspended_at: isSuspended ? "2026-11-20T10:00:00Z" : null,
  };
}
