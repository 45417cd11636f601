/** One run at the fake instance: stores frames as the object does, once and in order, and acknowledges them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebSocket } from "ws";
import {
  type Frame,
  type LeaseRef,
  RUNNER_PROTOCOL,
  type RunnerToRun,
  type RunOrder,
  type RunToRunner,
  runnerToRunSchema,
} from "#protocol/runner-link.ts";
import type { Delta, RunnerEvent } from "#protocol/transcript.ts";
import { until } from "./until.ts";

type Finished = Extract<Frame["body"], { kind: "finished" }>;

/** A request of a runner's beside its link. */
export interface RunnerCall {
  method: string;
  /** Of its path, below the run's own address. */
  rest: string;
  body: Buffer;
}

export class FakeRun {
  readonly order: RunOrder;
  readonly linkToken: string;
  readonly proxyToken: string;
  /** Frames as they are stored. */
  readonly stored: Frame[] = [];
  /** Every frame number in the order in which it came, repeats included. */
  readonly arrived: number[] = [];
  readonly deltas: Delta[] = [];
  /** Told when its workspace begins to come; where it is set, nothing of that is taken, and it is not answered. */
  onWorkspace: (() => void) | null = null;
  /** While true, its git requests are not answered. */
  holdGit = false;
  /** Answers a request of git's in the place of the upstream, and returns true; false leaves it to the upstream. */
  answerGit: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
  /** Answers what its runner asks beside the link. */
  answerCall: (call: RunnerCall) => { status: number; body?: unknown } = () => ({ status: 404 });
  /** While true, frames are lost on their way. */
  deaf = false;
  #socket: WebSocket | null = null;
  #over = false;
  #canceled = false;

  constructor(order: RunOrder) {
    this.order = order;
    this.linkToken = `rvl_link_${order.run_id}_${order.generation}_secret`;
    this.proxyToken = `rvl_proxy_${order.run_id}_${order.generation}_secret`;
  }

  get lease(): LeaseRef {
    return { run_id: this.order.run_id, generation: this.order.generation };
  }
  get over(): boolean {
    return this.#over;
  }
  get events(): RunnerEvent[] {
    return this.stored.flatMap(({ body }) => (body.kind === "event" ? [body.event] : []));
  }
  get ending(): Finished | null {
    const last = this.stored.at(-1)?.body;
    return last?.kind === "finished" ? last : null;
  }

  connect(socket: WebSocket): void {
    this.#socket = socket;
    socket.on("message", (data) => {
      const text = data.toString();
      if (text === "ping") socket.send("pong");
      else this.#hear(runnerToRunSchema.parse(JSON.parse(text)));
    });
  }

  /** Breaks the link as a lost network does. */
  breakLink(): void {
    this.#socket?.terminate();
  }

  /** Canceling is said at once, and again to a link that comes later. */
  cancel(): void {
    this.#canceled = true;
    this.say({ type: "cancel", reason: "by_user" });
  }

  /** The attempt has ended: its tokens are dead, and its link is closed. */
  end(): void {
    this.#over = true;
    this.#socket?.close(4401);
  }

  /** Options of the link that this side knows. */
  features: string[] = [];

  say(message: RunToRunner): void {
    this.#socket?.send(JSON.stringify(message));
  }

  finished(boundMs?: number): Promise<Finished> {
    return until(`run ${this.order.run_id} finishes`, () => this.ending, boundMs);
  }

  /** The first event of a type of which the test holds. */
  event<Type extends RunnerEvent["type"]>(
    type: Type,
    test: (event: Extract<RunnerEvent, { type: Type }>) => boolean = () => true,
    boundMs?: number,
  ): Promise<Extract<RunnerEvent, { type: Type }>> {
    const isIt = (event: RunnerEvent): event is Extract<RunnerEvent, { type: Type }> => event.type === type;
    return until(`an event ${type}`, () => this.events.filter(isIt).find(test), boundMs);
  }

  #hear(message: RunnerToRun): void {
    if (message.type === "hello") {
      this.say({
        type: "welcome",
        protocol: RUNNER_PROTOCOL,
        ack: this.stored.length,
        order: this.order,
        features: this.features,
      });
      if (this.#canceled) this.cancel();
    } else if (message.type === "delta") {
      this.deltas.push(message.delta);
    } else {
      for (const frame of message.frames) this.#store(frame);
      if (!this.deaf) this.say({ type: "ack", n: this.stored.length });
    }
  }

  #store(frame: Frame): void {
    this.arrived.push(frame.n);
    if (this.deaf) return;
    if (frame.n === this.stored.length + 1) this.stored.push(frame);
    else if (frame.n > this.stored.length) this.say({ type: "resend", after: this.stored.length });
  }
}
