/** The worker's own git proxy on loopback, before a real `git http-backend`: what its objects and D1 do is done in memory. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { Hono } from "hono";
import { makeAttemptToken } from "#instance/attempt-token.ts";
import { success } from "#protocol/errors.ts";
import type { PushRule } from "#protocol/routine.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";

interface Push {
  branch: string;
  commit: string;
  previous: string | null;
}

type ProxyGit = (c: unknown, path: string) => Promise<Response>;
type Branches = new (
  sql: object,
) => {
  own(session: string, place: string, branches: string[]): object[];
  keep(tx: { sql: object; nowMs: number }, session: string, place: string, pushes: Push[], of: object): void;
};

/** By their names alone: the types that these files stand on are workerd's, and this is Node. */
async function workerParts(): Promise<{ proxyGit: ProxyGit; SessionBranches: Branches }> {
  const [proxy, branches] = ["#worker/proxy/git/git-proxy.ts", "#durable-objects/routine/sessions/session-branches.ts"];
  return { ...(await import(proxy ?? "")), ...(await import(branches ?? "")) };
}

const RUN_ID = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const CREDENTIAL = "upstream-user:upstream-password-0001";
const KEY = "signing-key-of-the-git-proxy-server";

export interface GitProxyServer {
  /** The address of the repository, as the sandbox has it. */
  url: string;
  token: string;
  rule: PushRule;
  /** Pushes that the upstream has been sent. */
  sent: number;
  notices: string[];
  pushed: Push[];
  /** Begins a session of its own: what was made before is another's. */
  newSession(): void;
  close(): Promise<void>;
}

/** @param root the folder of the upstream. @param name of the one repository that is attached. */
export async function startGitProxy(root: string, name: string): Promise<GitProxyServer> {
  stubWorkerd(() => {
    state.sent += 1;
  });
  const { proxyGit, SessionBranches } = await workerParts();
  const upstream = await startGitServer({ root, credential: CREDENTIAL, port: 0 });
  const sql = openTables();
  const branches = new SessionBranches(sql);
  let session = 0;
  const object = {
    gitRepository: (_lease: object, number: number, asked: string[]) => {
      if (number !== 0)
        return { ok: false, refusal: { code: "proxy_refused", reason: "the repository is not attached" } };
      const cause = { routine_id: "rtn_", run_id: RUN_ID, depth: 0 };
      const own = branches.own(String(session), name, asked);
      return success({ url: `${upstream.url}/${name}.git`, key: name, cause, rule: state.rule, own });
    },
    recordPushes: (_lease: object, _number: number, pushes: Push[], of: object) => {
      branches.keep({ sql, nowMs: Date.now() }, String(session), name, pushes, of);
      state.pushed.push(...pushes);
      return success(null);
    },
    tellRun: (_lease: object, { message }: { message: string }) => {
      state.notices.push(message);
      return success(null);
    },
  };
  const deps = {
    config: { signingKeys: [KEY] },
    gitCredentials: { of: async () => success({ pair: CREDENTIAL, ifRefused: null, drop: null }) },
    ownerOf: () => object,
    matching: { notePush: async () => [], forgetPush: async () => {} },
    begunPushes: { begin: async () => {}, end: async () => {}, owe: async () => {} },
  };
  const app = new Hono<{ Variables: { deps: typeof deps } }>();
  app.use(async (c, next) => {
    c.set("deps", deps);
    await next();
  });
  app.get("/proxy/:run_id/git/:number/info/refs", (c) => proxyGit(c, "info/refs"));
  app.post("/proxy/:run_id/git/:number/git-upload-pack", (c) => proxyGit(c, "git-upload-pack"));
  app.post("/proxy/:run_id/git/:number/git-receive-pack", (c) => proxyGit(c, "git-receive-pack"));
  const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
  const server = createServer(async (request, response) => {
    const headers = new Headers(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    const body = request.method === "POST" ? (Readable.toWeb(request) as ReadableStream<Uint8Array>) : null;
    const init = { method: request.method ?? "GET", headers, body, duplex: "half" as const };
    const answer = await app.fetch(new Request(`http://proxy.test${request.url}`, init), {}, context);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body === null) response.end();
    else Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]).pipe(response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const state: GitProxyServer = {
    url: `http://127.0.0.1:${port}/proxy/${RUN_ID}/git/0`,
    token: await makeAttemptToken(KEY, "proxy", { run_id: RUN_ID, generation: 1 }),
    rule: { push: "prefix", push_prefix: "claude/" },
    sent: 0,
    notices: [],
    pushed: [],
    newSession: () => {
      session += 1;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await upstream.close();
    },
  };
  return state;
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
  Object.assign(globalThis, {
    IdentityTransformStream: TransformStream,
    FixedLengthStream: function FixedLengthStream() {
      return new TransformStream();
    },
    fetch: (url: string, init: RequestInit) => {
      if (url.endsWith("/git-receive-pack")) onPush();
      return asked(url, { ...init, duplex: "half" } as RequestInit);
    },
  });
}
