/** What long requests cost in memory: one call to the model, many of them, and a delivery of GitHub's. */
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { pageSchema } from "#protocol/api.ts";
import { deliverySchema } from "#protocol/delivery.ts";
import { admissionSchema } from "#protocol/occurrence.ts";
import type { Figure, Row } from "../row.ts";
import { Helper } from "../support/helper.ts";
import { ask, makeRoutine } from "../support/reveille.ts";
import type { Runner } from "../support/runner.ts";
import { type Served, serveReveille } from "../support/served.ts";

const MIB = 1_048_576;
const MODEL = "claude-bench-1";
const SAMPLE_MS = 10;
const HANDLED_WITHIN_MS = 60_000;
/** What an isolate may use at Cloudflare. */
const HEAP_LIMIT_MIB = 128;
/** Others are served by it meanwhile. */
const SHARE_MIB = HEAP_LIMIT_MIB / 2;

const deliveries = pageSchema(deliverySchema);

/** Each on an instance of its own: what has been used once is not given back. */
export const longBodies: Row = {
  id: "long-bodies",
  title: "memory of workerd while it takes long requests, more than before them",
  baseline: "none",
  measure: async () => [
    await modelCalls("a model call of 10 MiB, not ASCII", 10 * MIB),
    await modelCalls("a model call of 31 MiB, not ASCII", 31 * MIB),
    await modelCalls("200 model calls of 256 KiB, after 50 of them", MIB / 4, { before: 50, count: 200 }),
    ...(await delivery("a delivery of 17.6 MB", 17_600_000)),
  ],
};

/** @param before so many have been made when measuring begins. @param count how many are made then, one after the other. */
async function modelCalls(what: string, bytes: number, { before, count } = { before: 0, count: 1 }): Promise<Figure> {
  await using model = await swallowingModel();
  await using served = await serveReveille({ DEMO_MODEL_URL: model.url });
  await using runner = new Helper<Runner>("runner.ts");
  await runner.ask("join", { url: served.url, token: served.runnerToken });
  const { id } = await makeRoutine(served, { model: MODEL });
  await ask(served, "POST", `/api/v1/routines/${id}/run`, admissionSchema);
  await runner.ask("working", { runs: 1 });
  const [proxy] = await runner.ask("proxies");
  if (proxy === undefined) throw new Error("no run is on");
  const call = (characters: number) =>
    send(`${served.url}/proxy/${proxy.run_id}/model/v1/messages`, 200, {
      body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "ü".repeat(characters) }] }),
      headers: { authorization: `Bearer ${proxy.token}`, "content-type": "application/json" },
    });
  const repeat = async (times: number) => {
    for (let made = 0; made < times; made += 1) await call(bytes / 2);
  };
  await call(1_000);
  await repeat(before);
  const figure = await growth(served, what, () => repeat(count));
  await runner.ask("finish");
  return figure;
}

/** Takes any request to its end, and answers in a few bytes. */
async function swallowingModel(): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      response.setHeader("content-type", "application/json");
      response.end('{"usage":{"input_tokens":1,"output_tokens":1}}');
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Here R2 and D1 are in the same process, so that what they use is part of it. */
async function delivery(what: string, bytes: number): Promise<Figure[]> {
  const secret = randomBytes(32).toString("hex");
  await using served = await serveReveille({ GITHUB_WEBHOOK_SECRET: secret });
  await makeRoutine(served, {
    repositories: [{ url: "https://github.com/acme/app" }],
    triggers: [{ type: "github", event: "push" }],
  });
  const deliver = (length: number) => send(`${served.url}/webhooks/github`, 202, push(secret, length));
  await deliver(1_000);
  await untilHandled(served);
  return [
    await growth(served, `${what}, until its answer`, () => deliver(bytes), HEAP_LIMIT_MIB),
    await growth(served, "  more until it is handled", () => untilHandled(served)),
  ];
}

/** A push of as many commits as make it so long. */
function push(secret: string, length: number) {
  const full_name = "acme/app";
  const repository = { id: 1, full_name, private: true, html_url: `https://github.com/${full_name}` };
  const commit = {
    id: "a".repeat(40),
    message: "Größe ändern ".repeat(40),
    added: ["ä/b.ts"],
    removed: [],
    modified: [],
  };
  const commits = Array(Math.ceil(length / Buffer.byteLength(JSON.stringify(commit)))).fill(commit);
  const [before, after] = ["b".repeat(40), randomBytes(20).toString("hex")];
  const rest = { ref: "refs/heads/main", before, after, repository, pusher: { name: "octocat" } };
  const body = JSON.stringify({ ...rest, commits, sender: { login: "octocat" } });
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
  return { body, headers };
}

async function untilHandled(served: Served): Promise<void> {
  for (let waitedMs = 0; waitedMs < HANDLED_WITHIN_MS; waitedMs += SAMPLE_MS) {
    const { data } = await ask(served, "GET", "/api/v1/deliveries?limit=1", deliveries);
    const [newest] = data;
    if (newest?.status === "handled") return;
    if (newest?.status !== "stored") throw new Error(`the delivery is ${newest?.status}: ${newest?.note}`);
    await delay(SAMPLE_MS);
  }
  throw new Error("the delivery still waits to be handled");
}

async function send(url: string, wanted: number, { body, headers }: { body: string; headers: Record<string, string> }) {
  const answer = await fetch(url, { method: "POST", headers, body });
  const text = await answer.text();
  if (answer.status !== wanted) throw new Error(`${new URL(url).pathname}: ${answer.status} ${text}`);
}

/** The most memory in use until something is done, more than before. */
async function growth(served: Served, what: string, work: () => Promise<void>, limit = SHARE_MIB): Promise<Figure> {
  const before = served.workerdMemory();
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, served.workerdMemory());
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(sampling);
  }
  return {
    what,
    unit: "MiB",
    ours: Math.max(most, served.workerdMemory()) - before,
    baseline: null,
    goal: { bound: "at most", value: limit },
  };
}
