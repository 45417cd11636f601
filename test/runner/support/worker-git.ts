/** The worker's own git proxy on loopback: what its objects and D1 do is done in memory. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { Hono } from "hono";
import { makeAttemptToken } from "#instance/attempt-token.ts";
import type { CommitKey } from "#instance/commit-key.ts";
import { success } from "#protocol/errors.ts";
import type { PushRule } from "#protocol/routine.ts";
import type { WorkerGithub } from "./worker-github.ts";

export interface Push {
  branch: string;
  commit: string;
  previous: string | null;
  /** How many commits it brought that the upstream had not. */
  commits?: number;
}

type MountProxies = (app: Hono<never>) => void;
type Branches = new (
  sql: object,
) => {
  own(session: string, place: string, branches: string[]): object[];
  keep(tx: { sql: object; nowMs: number }, session: string, place: string, pushes: Push[], of: object): void;
};

/** By their names alone: the types that these files stand on are workerd's, and this is Node. */
async function workerParts(): Promise<{
  mountProxies: MountProxies;
  SessionBranches: Branches;
  KeyRing: new (keys: string[]) => object;
}> {
  const [proxy, branches, ring] = [
    "#worker/proxy/mount.ts",
    "#durable-objects/routine/sessions/session-branches.ts",
    "#instance/key-ring.ts",
  ];
  return { ...(await import(proxy ?? "")), ...(await import(branches ?? "")), ...(await import(ring ?? "")) };
}

const KEY = "signing-key-of-the-git-proxy-server";

export interface WorkerGitOptions {
  /** `user:password`, which the upstream wants. */
  credential: string;
  /** The upstream's address of a run's repository; null where there is none of that number. */
  addressOf(runId: string, number: number): string | null;
  /** The parts by which the worker calls connectors; left out where no run has any. */
  connectors?: object;
  /** As whom runs commit; the private key signs their commits. */
  commit?: { name: string; email: string; key: CommitKey | null };
  /** What runs do at GitHub beside git; by default nothing is there. */
  github?: Pick<WorkerGithub, "deps" | "config" | "object">;
}

/** What the worker has made of one run's requests. */
export interface SeenOfRun {
  rule: PushRule;
  /** The session that the run is of: what was made in another is another's. */
  session: string;
  notices: { code: string; message: string }[];
  pushed: Push[];
}

export interface WorkerGit {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** Pushes that the upstream has been sent. */
  sent: number;
  seenOf(runId: string): SeenOfRun;
  tokenOf(runId: string): Promise<string>;
  close(): Promise<void>;
}

export async function startWorkerGit({
  credential,
  addressOf,
  connectors = {},
  commit,
  github,
}: WorkerGitOptions): Promise<WorkerGit> {
  stubWorkerd(() => {
    git.sent += 1;
  });
  const { mountProxies, SessionBranches, KeyRing } = await workerParts();
  const sql = openTables();
  const branches = new SessionBranches(sql);
  const seen = new Map<string, SeenOfRun>();
  const object = {
    ...github?.object,
    gitRepository: ({ run_id }: { run_id: string }, number: number, asked: string[]) => {
      const url = addressOf(run_id, number);
      if (url === null)
        return { ok: false, refusal: { code: "proxy_refused", reason: "the repository is not attached" } };
      const cause = { routine_id: "rtn_", run_id, depth: 0 };
      const { session, rule } = git.seenOf(run_id);
      return success({ url, key: url, cause, rule, own: branches.own(session, url, asked) });
    },
    connectorFor: () => success({ routine_id: "rtn_", environment_id: "env_", rules: { deny: ["get-env"] } }),
    noteConnectorCalls: async () => success(null),
    beginSignature: () => success(null),
    recordPushes: ({ run_id }: { run_id: string }, number: number, pushes: Push[], of: object) => {
      const { session, pushed } = git.seenOf(run_id);
      branches.keep({ sql, nowMs: Date.now() }, session, addressOf(run_id, number) ?? "", pushes, of);
      pushed.push(...pushes);
      return success(null);
    },
    tellRun: ({ run_id }: { run_id: string }, notice: { code: string; message: string }) => {
      git.seenOf(run_id).notices.push(notice);
      return success(null);
    },
  };
  const deps = {
    ...github?.deps,
    config: { signingKeys: [KEY], commit, ...github?.config },
    keyRing: new KeyRing([KEY]),
    gitCredentials: { of: async () => success({ pair: credential, ifRefused: null, drop: null }) },
    ownerOf: () => object,
    matching: { notePush: async () => [], forgetPush: async () => {} },
    ...connectors,
    begunPushes: { begin: async () => {}, end: async () => {}, owe: async () => {} },
  };
  const server = serve(mountProxies, deps);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const git: WorkerGit = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: 0,
    seenOf: (runId) => {
      const rule: PushRule = { push: "prefix", push_prefix: "claude/" };
      const found = seen.get(runId) ?? { rule, session: runId, notices: [], pushed: [] };
      seen.set(runId, found);
      return found;
    },
    tokenOf: (runId) => makeAttemptToken(KEY, "proxy", { run_id: runId, generation: 1 }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return git;
}

function serve(mountProxies: MountProxies, deps: object) {
  const app = new Hono<{ Variables: { deps: object; requestId: string } }>();
  app.use(async (c, next) => {
    c.set("deps", deps);
    c.set("requestId", "req_test");
    await next();
  });
  mountProxies(app as never);
  const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
  return createServer(async (request, response) => {
    const headers = new Headers(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    const body = request.method !== "GET" ? (Readable.toWeb(request) as ReadableStream<Uint8Array>) : null;
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const init = { method: request.method ?? "GET", headers, body, duplex: "half" as const, signal: gone.signal };
    const answer = await app.fetch(new Request(`http://proxy.test${request.url}`, init), {}, context);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body === null) response.end();
    else {
      const body = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
      // An upstream that breaks off in the middle is what some of the tests are about.
      body.once("error", () => response.destroy());
      body.pipe(response);
    }
  });
}

/** The object's table, in the same SQL. */
function openTables(): object {
  const database = new DatabaseSync(":memory:");
  database.exec(`CREATE TABLE session_branches (session_id TEXT, place TEXT, branch TEXT, base TEXT, tip TEXT, own TEXT, at INTEGER, pushes TEXT,
    PRIMARY KEY (session_id, place, branch))`);
  const exec = (query: string, ...values: (string | number | null)[]) => {
    const named = Object.fromEntries(values.map((value, place) => [`?${place + 1}`, value]));
    return { toArray: () => database.prepare(query).all(named) };
  };
  return {
    exec: (query: string, ...values: (string | number | null)[]) => {
      const rows = exec(query, ...values).toArray();
      return { toArray: () => rows };
    },
  };
}

/** What workerd has and Node has not. */
function stubWorkerd(onPush: () => void): void {
  const asked = globalThis.fetch;
  const lengths = new WeakMap<object, number>();
  Object.assign(globalThis, {
    IdentityTransformStream: TransformStream,
    scheduler: { wait: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)) },
    FixedLengthStream: function FixedLengthStream(length: number) {
      const stream = new TransformStream();
      lengths.set(stream.readable, length);
      return stream;
    },
    fetch: (url: string | URL, init: RequestInit = {}) => {
      if (String(url).endsWith("/git-receive-pack")) onPush();
      const headers = new Headers(init.headers);
      const length = typeof init.body === "object" && init.body !== null ? lengths.get(init.body) : undefined;
      if (length !== undefined) headers.set("content-length", String(length));
      return asked(url, { ...init, headers, duplex: "half" } as RequestInit);
    },
  });
}
