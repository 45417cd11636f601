/** A runner without agent, for tests in workerd: it speaks the real protocol over real sockets, and does as it is told. */
import { RUNNER_FEATURES } from "#protocol/runner-features.ts";
import type { FrameBody, LeaseRef } from "#protocol/runner-link.ts";
import { RUNNER_PROTOCOL } from "#protocol/runner-link.ts";
import { dial, type TestSocket } from "./test-socket.ts";

export const RUNNER_TOKEN = "runner-token-of-the-tests-0123456789abcdef";

export interface Offer {
  lease: LeaseRef;
  link_token: string;
  proxy_token: string;
}

export class FakeRunner {
  readonly id: string;
  readonly boot: string;
  readonly capacity: number;
  readonly protocol: number;
  readonly features: readonly string[];
  readonly #token: string;
  socket: TestSocket;
  #taken = 0;

  private constructor(
    socket: TestSocket,
    start: { id: string; boot: string; capacity: number; protocol: number; features: readonly string[]; token: string },
  ) {
    this.socket = socket;
    this.id = start.id;
    this.boot = start.boot;
    this.capacity = start.capacity;
    this.protocol = start.protocol;
    this.features = start.features;
    this.#token = start.token;
  }

  static async join({
    id = "fake-1",
    boot = crypto.randomUUID() as string,
    capacity = 4,
    leases = [] as LeaseRef[],
    protocol = RUNNER_PROTOCOL,
    features = RUNNER_FEATURES as readonly string[],
    token = RUNNER_TOKEN,
  } = {}) {
    const runner = new FakeRunner(await FakeRunner.#dial(token), { id, boot, capacity, protocol, features, token });
    await runner.#register(leases);
    return runner;
  }

  /** Comes back after a broken connection, as the same process. */
  async rejoin(leases: LeaseRef[]): Promise<void> {
    this.socket = await FakeRunner.#dial(this.#token);
    this.#taken = 0;
    await this.#register(leases);
  }

  /** Waits for the next offer that has not been taken, and accepts it. */
  async accept(): Promise<Offer> {
    const offer = await this.seeOffer();
    this.socket.send({ type: "accept", lease: offer.lease });
    return offer;
  }

  /** Waits for the next offer that has not been taken, and declines it. */
  async decline(why: "full" | "draining"): Promise<Offer> {
    const offer = await this.seeOffer();
    this.socket.send({ type: "decline", lease: offer.lease, why });
    return offer;
  }

  async seeOffer(): Promise<Offer> {
    const wanted = this.#taken;
    this.#taken += 1;
    const offers = () => this.socket.messages.filter(({ type }) => type === "offer");
    await this.socket.until(() => offers().length > wanted);
    const offer = offers()[wanted] as unknown as Offer;
    return offer;
  }

  /** Leaves the pool, so that what comes next in the file is not offered to a runner that nobody plays. */
  [Symbol.dispose](): void {
    this.socket.close();
  }

  /** Answers probes from now on, as the real runner does: a clock that a test sets does not make it lost. */
  async answerProbes(): Promise<void> {
    const { socket } = this;
    const probes = () => socket.messages.filter(({ type }) => type === "probe").length;
    for (let answered = 0; socket.closed === null; answered += 1) {
      await socket.until(() => probes() > answered || socket.closed !== null);
      if (socket.closed === null) socket.send({ type: "alive" });
    }
  }

  ended(lease: LeaseRef): void {
    this.socket.send({ type: "ended", lease });
  }

  /** Dials the run of an offer and says hello. @param features options of the run's link that it knows. */
  async work(offer: Offer, features: readonly string[] = []): Promise<FakeWork> {
    const work = new FakeWork(this, offer, features);
    await work.connect();
    return work;
  }

  async #register(leases: LeaseRef[]): Promise<void> {
    this.socket.send({
      type: "register",
      protocol: this.protocol,
      runner: { kind: "local", id: this.id },
      boot: this.boot,
      capacity: this.capacity,
      features: this.features,
      leases,
    });
    await this.socket.next(({ type }) => type === "registered");
  }

  static #dial(token: string): Promise<TestSocket> {
    return dial("/runner/pool", { authorization: `Bearer ${token}` });
  }
}

const NOTHING_SEEN = { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 };
export const SUCCEEDED: FrameBody = {
  kind: "finished",
  outcome: { status: "succeeded" },
  report: { result: "done", summary: "All done." },
  seen: { turns: 3, tool_calls: 2, files_changed: 1, commits_pushed: 1, cost_usd: 0.25 },
};
export const CANCELED: FrameBody = {
  kind: "finished",
  outcome: { status: "canceled" },
  report: null,
  seen: NOTHING_SEEN,
};
export const RUNNING: FrameBody = { kind: "running", sandbox: "none" };

export function agentSays(text: string): FrameBody {
  return { kind: "event", event: { type: "agent.message", message_id: "msg_1", text } };
}

/** The work on one lease: it keeps its frames until they are acknowledged, as the real runner does. */
export class FakeWork {
  readonly offer: Offer;
  link!: TestSocket;
  readonly #runner: FakeRunner;
  readonly #frames: FrameBody[] = [];

  readonly #features: readonly string[];

  constructor(runner: FakeRunner, offer: Offer, features: readonly string[]) {
    this.#runner = runner;
    this.#features = features;
    this.offer = offer;
  }

  /** Dials, or dials again, and sends what has not been acknowledged. */
  async connect(): Promise<void> {
    const { lease, link_token } = this.offer;
    this.link = await dial(`/runner/runs/${lease.run_id}/link`, { authorization: `Bearer ${link_token}` });
    const runner = { kind: "local", id: this.#runner.id };
    this.link.send({ type: "hello", protocol: RUNNER_PROTOCOL, runner, features: this.#features });
    const welcome = await this.link.next(({ type }) => type === "welcome");
    this.#sendAfter(Number(welcome["ack"]));
  }

  get order() {
    return this.link.messages.find(({ type }) => type === "welcome")?.["order"];
  }

  /** Sends frames without waiting. */
  send(...bodies: FrameBody[]): void {
    const after = this.#frames.length;
    this.#frames.push(...bodies);
    this.#sendAfter(after);
  }

  /** Sends frames and waits until they are stored. */
  async report(...bodies: FrameBody[]): Promise<void> {
    this.send(...bodies);
    const last = this.#frames.length;
    await this.link.next((message) => message.type === "ack" && Number(message["n"]) >= last);
  }

  async finish(body: FrameBody = SUCCEEDED): Promise<void> {
    await this.report(body);
    this.#runner.ended(this.offer.lease);
  }

  #sendAfter(after: number): void {
    const frames = this.#frames.slice(after).map((body, index) => ({ n: after + index + 1, body }));
    if (frames.length > 0) this.link.send({ type: "frames", frames });
  }
}
