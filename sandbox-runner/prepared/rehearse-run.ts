/**
 * Does for practice what every run begins with: dials its link, reads its order, scrubs and sends frames, and passes a call to the
 * model on. What a process does for the first time takes several times as long: Node loads what it needs for it only then,
 * schemas are compiled with the first message, and all of it is interpreted. A spare executor has the time for it before there
 * is a run.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import { INSTANCE_HOST } from "#protocol/container-brief.ts";
import type { Network } from "#protocol/environment.ts";
import { type RunOrder, runOrderSchema } from "#protocol/runner-link.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { RunLink } from "../link/run-link.ts";
import { ScrubbedFrames } from "../link/scrubbed-frames.ts";
import { OutsideTally } from "../network/outside-tally.ts";
import type { WayOut } from "../network/way-out.ts";
import { within } from "../process/within.ts";
import { LOOPBACK } from "../sandbox/listen.ts";
import { type Relay, startRelay } from "../sandbox/relay.ts";
import { SDK_VERSION } from "../session/sdk-version.ts";
import { startPracticeInstance } from "./practice-instance.ts";
import { shapeKey, shapeOf } from "./start-shape.ts";

const DEADLINE_MS = 2_000;
/** Of the shape of a real one. Nobody has it: it never leaves this process. */
const RUN_ID = `run_${"0".repeat(26)}`;
const TOKEN_BYTES = 100;
/** About as much as an agent writes down before its first words: its task, its tools, and what it knows of the machine. */
const ENTRY = {
  type: "attachment",
  message: { role: "user", content: [{ type: "text", text: "A word. ".repeat(64) }] },
};
const ENTRIES = 100;
const NOWHERE: Network = { level: "none", allow: [] };
const NO_WAY: WayOut = { secure: noWay, plain: noWay };

/**
 * Talks to servers of this process alone. These are closed when it settles, and the link to them is, also where it is late: it would
 * else be dialled again and again during the run. Never rejects. @returns whether all of it was done.
 */
export async function rehearseRun(deadlineMs = DEADLINE_MS): Promise<boolean> {
  const order = practiceOrder();
  const closing: (() => unknown)[] = [];
  try {
    const instance = await startPracticeInstance(order);
    closing.push(() => instance.close());
    const relay = await startRelay({ instanceUrl: instance.url, dialForMs: 0 });
    closing.push(() => relay.close());
    relay.serve({ runId: RUN_ID, repositories: 0 }, () => {}, {
      policy: NOWHERE,
      out: NO_WAY,
      tally: new OutsideTally(),
    });
    const done = await Promise.all([
      within(deadlineMs, speakOnLink(instance.url, closing), false),
      within(deadlineMs, askModel(relay), false),
    ]);
    return done.every((isDone) => isDone);
  } catch {
    return false;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** @param closing what is to be closed at the practice's end. @returns whether the order has come. */
async function speakOnLink(instanceUrl: string, closing: (() => unknown)[]): Promise<boolean> {
  const redactor = new Redactor([practiceToken(), practiceToken()]);
  const ordered = Promise.withResolvers<boolean>();
  const link = new RunLink({
    instanceUrl,
    runId: RUN_ID,
    linkToken: practiceToken(),
    runner: { kind: "local", id: "practice" },
    boot: "practice",
    onOrder: (order) => {
      const shape = shapeOf(order);
      ordered.resolve(shape !== null && shapeKey(shape) !== "");
    },
    onFeatures: () => {},
    onSaid: () => {},
    onAnswer: () => {},
    onPark: () => {},
    onClose: () => {},
    onCancel: () => {},
    onEnded: () => ordered.resolve(false),
    onDown: () => {},
  });
  // Its end is that of the practice: nobody answers it.
  closing.push(() => void link.close());
  const isOrdered = await ordered.promise;
  const frames = new ScrubbedFrames(redactor, link);
  frames.send({ kind: "event", event: { type: "run.step", phase: "agent", message: "Starting the agent" } });
  for (const entry of Array.from({ length: ENTRIES }, () => ENTRY)) frames.sendEntries(null, SDK_VERSION, [entry]);
  for (const text of ["First ", "words."])
    frames.sendDelta({ type: "agent.delta", message_id: "msg_practice", kind: "text", text });
  // What has been said goes out with the events of this turn of the loop.
  await new Promise((go) => setImmediate(go));
  return isOrdered;
}

/** @returns whether the relay has passed it on, and back. */
async function askModel({ port }: Relay): Promise<boolean> {
  const path = `http://${INSTANCE_HOST}/proxy/${RUN_ID}/model/v1/messages?beta=true`;
  const headers = { "content-type": "application/json", authorization: `Bearer ${practiceToken()}` };
  const asking = httpRequest({ host: LOOPBACK.host, port, method: "POST", path, headers, agent: false });
  // Cut off after the answer has begun, it would else end this process.
  asking.on("error", () => {});
  asking.end("{}");
  const [answer] = await once(asking, "response");
  return answer.statusCode === 200 && (await text(answer)) === "{}";
}

function practiceOrder(): RunOrder {
  return runOrderSchema.parse({
    run_id: RUN_ID,
    session_id: `session_${"0".repeat(26)}`,
    session_url: `http://${INSTANCE_HOST}/sessions/practice`,
    generation: 1,
    routine_name: "practice",
    task: "Practise.",
    model: "practice",
    demo_model: false,
    repositories: [],
    turns: 1,
    timeout_ms: 1,
    clone_deadline_ms: 1,
    setup_deadline_ms: 1,
    agent_start_deadline_ms: 1,
    environment: {
      id: `env_${"0".repeat(26)}`,
      name: "practice",
      revision: 0,
      network: NOWHERE,
      variables: {},
      secret_values: [],
      setup: null,
    },
    takes: ["diff", "artifacts"],
    notes: [],
    conversation: { sdk_session_id: "00000000-0000-4000-8000-000000000000", resume: null },
  });
}

function practiceToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

async function noWay(): Promise<never> {
  throw new Error("There is no way out of a practice.");
}
