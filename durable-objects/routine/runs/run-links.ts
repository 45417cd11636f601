/**
 * Messages of runners on their runs' sockets (hello, frames, deltas), and the answers: the order, and which frames are
 * missing.
 */
import type { AttemptEnvironmentReader, ToldEnvironment } from "#instance/attempt-environments.ts";
import { shownIdentity } from "#instance/commit-key.ts";
import type { Config } from "#instance/config.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { closeQuietly, refuseUpgrade } from "#instance/sockets.ts";
import type { Resume } from "#protocol/conversation.ts";
import type { AttemptEnvironment } from "#protocol/environment.ts";
import { logTrouble } from "#protocol/log.ts";
import { type RunError, runError } from "#protocol/run-errors.ts";
import { RUNNER_FEATURES, type RunnerFeature } from "#protocol/runner-features.ts";
import {
  HELLO_DEADLINE_MS,
  type LeaseRef,
  RUNNER_CLOSE,
  RUNNER_PROTOCOLS_SERVED,
  type RunnerToRun,
  runnerToRunSchema,
} from "#protocol/runner-link.ts";
import { isToolPolicy } from "#protocol/tools.ts";
import type { Delta, TranscriptEvent } from "#protocol/transcript.ts";
import type { KeptEnvironment } from "#rules/environment/kept-environment.ts";
import { parseJson } from "#rules/json.ts";
import { featuresInForce } from "#rules/pool/features-in-force.ts";
import type { Hello } from "#rules/run/inputs.ts";
import { lastCalls } from "#rules/run/last-calls.ts";
import { runOrder } from "#rules/run/run-order.ts";
import type { Conversations } from "../conversations/conversations.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";
import type { Viewers } from "../viewers/viewers.ts";
import type { Work } from "../work.ts";
import type { Notes } from "./notes.ts";
import type { Questions } from "./questions.ts";
import type { ReceiveFrames } from "./receive-frames.ts";
import type { RunContexts } from "./run-contexts.ts";
import type { RunEngine } from "./run-engine.ts";
import type { LinkAttachment, RunSockets } from "./run-sockets.ts";
import type { RunRow } from "./run-store.ts";
import type { Steering } from "./steering.ts";

/** For reading what an attempt needs, in milliseconds: less than a runner has for its hello. */
const READ_MS = HELLO_DEADLINE_MS - 1_000;

/** Of the transcript's end, for what the last run has called. */
const ROWS_LOOKED_AT = 40;

/** A runner that has said hello, and waits to be welcomed. */
interface Greeting {
  socket: WebSocket;
  attachment: LinkAttachment;
  protocol: number;
  said: Hello;
}

interface Parts {
  sockets: RunSockets;
  engine: RunEngine;
  frames: ReceiveFrames;
  viewers: Viewers;
  definitions: DefinitionStore;
  steering: Steering;
  questions: Questions;
  conversations: Pick<Conversations, "resume">;
  log: Pick<TranscriptLog, "latest">;
  notes: Pick<Notes, "names">;
  contexts: Pick<RunContexts, "of">;
  work: Work;
  config: Pick<Config, "publicUrl" | "allowedModels" | "commit" | "github">;
  environments: Pick<AttemptEnvironmentReader, "read">;
  /** Has the object of the container in which a runner works on a lease look whether the container is there. */
  lookAtContainer(lease: LeaseRef, runnerId: string): Promise<void>;
}

export class RunLinks {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * The upgrade of an attempt's runner, whose link token the worker has checked. Also in a deleted routine, until its runs
   * have stopped.
   */
  accept(url: URL): Response {
    const lease = { run_id: url.searchParams.get("run") ?? "", generation: Number(url.searchParams.get("generation")) };
    const origin = url.searchParams.get("origin") ?? url.origin;
    if (this.#parts.engine.leased(lease) === null) return refuseUpgrade(RUNNER_CLOSE.refused, "the attempt has ended");
    const { 0: client, 1: server } = new WebSocketPair();
    this.#parts.sockets.accept(server, lease, origin);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** @returns whether the message was on a runner's socket. */
  receive(socket: WebSocket, text: string): boolean {
    const attachment = this.#parts.sockets.of(socket);
    if (attachment !== null) this.#receive(socket, attachment, text);
    return attachment !== null;
  }

  /** A socket has closed, or has failed. Of a container that has vanished this is the first sign. */
  closed(socket: WebSocket): void {
    const lease = this.#parts.sockets.of(socket)?.lease;
    const runner = lease === undefined ? null : this.#parts.engine.runnerOf(lease);
    if (lease === undefined || runner?.kind !== "container") return;
    this.#parts.lookAtContainer(lease, runner.id).catch((error) => {
      logTrouble("container_call_failed", { ...lease, call: "look" }, error);
    });
  }

  #receive(socket: WebSocket, attachment: LinkAttachment, text: string): void {
    const { engine, sockets, frames } = this.#parts;
    const { lease } = attachment;
    const parsed = runnerToRunSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      closeQuietly(socket, RUNNER_CLOSE.badMessage, "not a message of this protocol");
      return;
    }
    if (engine.leased(lease) === null) {
      closeQuietly(socket, RUNNER_CLOSE.refused, "the attempt has ended");
      return;
    }
    const message = parsed.data;
    if (message.type === "hello") this.#hello(socket, attachment, message);
    else if (!attachment.isGreeted) closeQuietly(socket, RUNNER_CLOSE.badMessage, "hello comes first");
    else if (message.type === "delta") this.#delta(lease, message.delta);
    else {
      const missingAfter = frames.take(lease, message.frames);
      if (missingAfter !== null) sockets.send(socket, { type: "resend", after: missingAfter });
    }
  }

  #hello(socket: WebSocket, attachment: LinkAttachment, hello: Extract<RunnerToRun, { type: "hello" }>): void {
    if (!RUNNER_PROTOCOLS_SERVED.includes(hello.protocol)) {
      closeQuietly(socket, RUNNER_CLOSE.protocol, `protocols served: ${RUNNER_PROTOCOLS_SERVED.join(", ")}`);
      return;
    }
    const { engine, frames } = this.#parts;
    const greeting = {
      socket,
      attachment,
      protocol: hello.protocol,
      said: {
        runner: hello.runner,
        boot: hello.boot ?? null,
        features: featuresInForce(hello.features, RUNNER_FEATURES),
      },
    };
    const row = this.#take(greeting);
    const lack = row === null ? null : this.#lackOf(row, greeting.said);
    if (lack !== null) {
      this.#failed(greeting, lack);
      return;
    }
    // A runner that has sent frames has been told before: values of secrets are read once for an attempt.
    const kept = row === null || frames.last(row) > 0 ? null : engine.environmentOf(attachment.lease);
    if (row === null || kept === null) this.#welcome(greeting, null);
    else void this.#readEnvironment(greeting, kept, row.doc.routine_id);
  }

  /** The runner takes the lease. @returns null when another one, or another process of it, has it. */
  #take({ attachment, said }: Greeting): RunRow | null {
    const { frames, work, engine, steering, questions } = this.#parts;
    frames.flush();
    return work.change((tx) => {
      const isFirst = engine.runnerOf(attachment.lease) === null;
      // Where it is another process: what the one that has died was told may be told again.
      const before = engine.leased(attachment.lease);
      const isUnheard = before !== null && questions.isUnheard(before);
      const row = engine.feed(tx, attachment.lease.run_id, { type: "leased", ...said, isUnheard });
      if (isFirst && row !== null) steering.begin(tx, row);
      return this.#taken(attachment.lease, said);
    });
  }

  /** The run, if it is this process that works on it: the attempt may have ended just now. */
  #taken(lease: LeaseRef, said: Hello): RunRow | null {
    const row = this.#parts.engine.leased(lease);
    return row !== null && isSame(row, said) ? row : null;
  }

  /** What gives no answer in time ends the attempt: a runner that only dialled again would do so for hours, and nobody be told. */
  async #readEnvironment(greeting: Greeting, kept: KeptEnvironment, routineId: string): Promise<void> {
    const { lease } = greeting.attachment;
    const read = this.#parts.environments.read(kept, { lease, routineId });
    const told = await withinDeadline(read, READ_MS, "the secrets").catch((error: unknown): ToldEnvironment => {
      logTrouble("environment_not_told", { ...lease }, error);
      return {
        ok: false,
        error: runError("secret_source_unreachable", "provisioning", "There was no answer in time."),
      };
    });
    if (told.ok) this.#welcome(greeting, told.value);
    else this.#failed(greeting, told.error);
  }

  /** What keeps this runner from working on the run as its routine wants it. */
  #lackOf({ doc }: RunRow, { features }: Hello): RunError | null {
    const isKept = features.includes("tools" satisfies RunnerFeature) || !isToolPolicy(this.#parts.engine.toolsOf(doc));
    return isKept ? null : runError("runner_without_tools", "provisioning");
  }

  #failed({ socket, attachment, said }: Greeting, error: RunError): void {
    const { work, engine } = this.#parts;
    const { lease } = attachment;
    if (this.#taken(lease, said) !== null) {
      work.change((tx) => void engine.feed(tx, lease.run_id, { type: "environment_fault", error }));
    }
    closeQuietly(socket, RUNNER_CLOSE.refused, "the attempt has ended");
  }

  /** All that the runner needs to begin or go on, as it is now. */
  #welcome({ socket, attachment, protocol, said }: Greeting, environment: AttemptEnvironment | null): void {
    const { sockets, engine, frames, definitions, notes, contexts, questions, config, work } = this.#parts;
    const row = this.#taken(attachment.lease, said);
    if (row === null) {
      closeQuietly(socket, RUNNER_CLOSE.refused, "another runner, or another process of it, has this lease");
      return;
    }
    const answer = questions.untaken(row.id);
    const given = { text: row.text, checkout: row.checkout, context: contexts.of(row.id) ?? null };
    const order = runOrder(row.doc, definitions.atRevision(row.doc.routine.revision), given, {
      baseUrl: config.publicUrl ?? attachment.origin,
      otherModels: config.allowedModels,
      commit: shownIdentity(config.commit),
      environment,
      connectors: engine.environmentOf(attachment.lease)?.connectors ?? {},
      githubOrigin: config.github.webOrigin,
      notes: notes.names(),
      resume: this.#resume(row),
      answer,
      continues: row.before === null ? null : { put_off: row.before.put_off },
    });
    if (answer !== null) work.change((tx) => questions.told(tx, row.id));
    sockets.greeted(socket, attachment);
    sockets.send(socket, {
      type: "welcome",
      protocol,
      ack: frames.last(row),
      order,
      features: [...said.features],
    });
    for (const message of engine.stillToSay(row)) sockets.send(socket, message);
    if (answer !== null) sockets.send(socket, { type: "answer", ...answer });
  }

  /** What the attempt goes on from, with what the last run may have done without writing it down. */
  #resume({ id, sessionId }: RunRow): Resume | null {
    const { conversations, log } = this.#parts;
    const resume = conversations.resume(sessionId);
    if (resume === null) return null;
    const events = log.latest(sessionId, ROWS_LOOKED_AT).map((line) => JSON.parse(line) as TranscriptEvent);
    return { ...resume, calls: lastCalls(events, id) };
  }

  #delta(lease: LeaseRef, delta: Delta): void {
    const row = this.#parts.engine.leased(lease);
    if (row !== null) this.#parts.viewers.sendDelta(row.sessionId, delta);
  }
}

function isSame({ doc, boot }: RunRow, hello: Hello): boolean {
  return doc.runner?.id === hello.runner.id && (hello.boot === null || hello.boot === boot);
}
