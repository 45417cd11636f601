/**
 * Connectors as the worker has them, on loopback: its own proxy, its own logins and its own statements on the schema of D1, which
 * is SQLite here; and the MCP SDK's client as the agent's program has it, which goes through the proxy.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { until } from "./until.ts";
import { startWorkerGit, type WorkerGit } from "./worker-git.ts";

const MIGRATIONS = "migrations/d1";
/** Where the instance is for authorization servers: a browser that comes back there is what a test makes of it. */
export const INSTANCE = "https://reveille.example";
const ACTOR = { kind: "owner", id: null, name: "owner" };

type Answer<Value> = { ok: true; value: Value } | { ok: false; detail: string };

interface Login {
  authorization_url: string;
}

interface LoginSteps {
  beginLogin(parts: object, connector: object, of: object, nowMs: number): Promise<LoginBegun>;
  endLogin(parts: object, brought: object, by: object): Promise<Answer<object>>;
}
type LoginBegun = { ok: true; value: Login } | { ok: false; refusal: { message?: string; hint?: string } };

interface Store {
  add(connector: object): Promise<string>;
  find(key: string): Promise<{ id: string; status: string; status_detail: string | null } | null>;
}

export class ConnectorBed {
  readonly worker: WorkerGit;
  readonly secrets = new Map<string, string>();
  /** Origins that the worker has asked, in order, and whether it has signed in there. */
  readonly asked: { url: string; authorization: string | null }[] = [];
  readonly #store: Store;
  readonly #parts: object;
  readonly #steps: LoginSteps;
  #made = 0;

  private constructor(worker: WorkerGit, store: Store, parts: object, steps: LoginSteps) {
    this.worker = worker;
    this.#store = store;
    this.#parts = parts;
    this.#steps = steps;
  }

  static async start(): Promise<ConnectorBed> {
    const modules = await workerModules();
    const database = openD1();
    const secrets = new Map<string, string>();
    const asked: ConnectorBed["asked"] = [];
    const outside = {
      hasLoopback: true,
      fetch: (url: string, init: RequestInit) => {
        asked.push({ url, authorization: new Headers(init.headers).get("authorization") });
        return fetch(url, init);
      },
    };
    const fill = async (texts: Record<string, string>) => ({
      ok: true,
      variables: Object.fromEntries(
        Object.entries(texts).map(([key, text]) => [
          key,
          text.replaceAll(/\{\{(\w+)\}\}/g, (_all, name) => secrets.get(name) ?? ""),
        ]),
      ),
      secret_values: [...secrets.values()],
    });
    const parts = {
      logins: modules.connectorLogins(database, database),
      ring: new modules.KeyRing(["signing-key-of-the-connectors"]),
      secrets: { fill, fillTexts: fill },
      outside,
      now: Date.now,
      pause: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
    };
    const store = modules.connectors(Object.assign(database, { repeatable: database }));
    const worker = await startWorkerGit({
      credential: "",
      addressOf: () => null,
      connectors: {
        connectors: store,
        secretValues: parts.secrets,
        loginAccess: new modules.LoginAccess(parts),
        outside,
      },
    });
    const bed = new ConnectorBed(worker, store, { ...parts, find: store.find }, modules);
    Object.assign(bed, { secrets, asked });
    return bed;
  }

  /** @returns its name. */
  async make(url: string, auth: object = { type: "none" }): Promise<string> {
    this.#made += 1;
    const name = `server-${this.#made}`;
    const at = new Date().toISOString();
    const added = await this.#store.add({
      ...{ id: `con_${String(this.#made).padStart(26, "0")}`, name, url, auth, tools: [], server: null },
      ...{ status: "unreachable", status_detail: null, checked_at: null, login: null, last_used_at: null },
      ...{ revision: 1, created_at: at, created_by: ACTOR, updated_at: at, updated_by: ACTOR },
    });
    if (added !== "added") throw new Error(`not added: ${added}`);
    return name;
  }

  async read(name: string) {
    const found = await this.#store.find(name);
    if (found === null) throw new Error(`there is no connector ${name}`);
    return found;
  }

  /** The address of a connector for a run, and the run's token. */
  async addressOf(name: string, runId = RUN): Promise<{ url: URL; token: string }> {
    return {
      url: new URL(`${this.worker.url}/proxy/${runId}/mcp/${name}`),
      token: await this.worker.tokenOf(runId),
    };
  }

  /** The SDK's client, as an agent's program has it: it knows the relay's address and the run's token alone. */
  async client(name: string, options: ClientOptions = {}): Promise<Client> {
    const { url, token } = await this.addressOf(name);
    const client = new Client({ name: "agent", version: "1" }, options);
    const headers = { authorization: `Bearer ${token}` };
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
    return client;
  }

  /** A person begins to log in. @throws in the words that they read. */
  async begin(name: string, baseUrl = INSTANCE): Promise<URL> {
    const connector = await this.read(name);
    const begun = await this.#steps.beginLogin(this.#parts, connector, { baseUrl, madeBy: null }, Date.now());
    if (!begun.ok) throw new Error(`${begun.refusal.message} ${begun.refusal.hint ?? ""}`);
    return new URL(begun.value.authorization_url);
  }

  /** The browser comes back. @throws in the words that are shown there. */
  async end(back: URL): Promise<void> {
    const brought = Object.fromEntries(back.searchParams);
    const done = await this.#steps.endLogin(this.#parts, brought, { actor: ACTOR, signIn: null });
    if (!done.ok) throw new Error(done.detail);
  }

  /** Logs in where whoever opens the authorization server's page is sent back at once. */
  async logIn(name: string, baseUrl = INSTANCE): Promise<void> {
    const answer = await fetch(await this.begin(name, baseUrl), { redirect: "manual" });
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`nobody was sent back: ${answer.status} ${await answer.text()}`);
    await this.end(new URL(location));
  }

  async close(): Promise<void> {
    await this.worker.close();
  }
}

const RUN = "run_01J00000000000000000000000";

/** By their names alone: the types that these files stand on are workerd's, and this is Node. */
async function workerModules(): Promise<
  LoginSteps & {
    connectorLogins(database: object, repeatable: object): object;
    connectors(database: object): Store;
    KeyRing: new (keys: string[]) => object;
    LoginAccess: new (parts: object) => object;
  }
> {
  const all = await Promise.all(
    [
      "#worker/connectors/oauth/begin-login.ts",
      "#worker/connectors/oauth/end-login.ts",
      "#instance/d1/connector-logins.ts",
      "#worker/store/connectors.ts",
      "#instance/key-ring.ts",
      "#instance/connectors/oauth/login-access.ts",
    ].map((name) => import(name)),
  );
  return Object.assign({}, ...all);
}

/** The database with its whole schema, as D1 is asked. */
function openD1(): object {
  const database = new DatabaseSync(":memory:");
  for (const file of readdirSync(MIGRATIONS).sort()) {
    if (file.endsWith(".sql")) database.exec(readFileSync(`${MIGRATIONS}/${file}`, "utf8"));
  }
  const statement = (query: string, values: SQLInputValue[] = []) => {
    const named = Object.fromEntries(values.map((value, place) => [`?${place + 1}`, value]));
    const ask = () => {
      const results = database.prepare(query).all(named);
      const { n } = database.prepare("SELECT changes() AS n").get() as { n: number };
      return { results, meta: { changes: n } };
    };
    return {
      ask,
      bind: (...given: SQLInputValue[]) => statement(query, given),
      all: async () => ask(),
      run: async () => ask(),
      first: async () => ask().results[0] ?? null,
    };
  };
  return {
    prepare: (query: string) => statement(query),
    batch: async (all: ReturnType<typeof statement>[]) => all.map(({ ask }) => ask()),
  };
}

/** A server from npm that takes Streamable HTTP at `/mcp`. */
export async function startServer(file: string, given: string[] = []): Promise<{ url: string; close(): void }> {
  const port = await freePort();
  const server = spawn(process.execPath, [file, ...given], {
    env: { PATH: process.env["PATH"], PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const out of [server.stdout, server.stderr])
    out.on("data", (chunk) => {
      said += chunk;
    });
  await until("the server listens", () => /listening/i.test(said));
  return { url: `http://127.0.0.1:${port}/mcp`, close: () => void server.kill() };
}

/** A port of loopback on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
