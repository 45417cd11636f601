/** How a container that waits gets its lease: to it alone, and not at all where it is not known that it has taken it. */
import type { BeginAnswer, ContainerOrder, SandboxSettings } from "#instance/object-contracts.ts";
import { type ContainerBrief, INSTANCE_HOST } from "#protocol/container-brief.ts";
import { errorText, logTrouble } from "#protocol/log.ts";
import { isSameLease, type LeaseRef } from "#protocol/runner-link.ts";
import type { ContainerCalls } from "./container-calls.ts";
import type { Build, WarmContainer } from "./warm-container.ts";

export interface HandOverParts {
  warm: WarmContainer;
  /** What the lease's sandbox is made with; null when the lease is not in force, or nobody answers. */
  settingsOf(lease: LeaseRef): Promise<SandboxSettings | null>;
  /** From what a container would be started now. @param size null for the instance's own. */
  build(size: SandboxSettings["size"]): Build;
  /** Calls to the container with the exit of the lease. */
  calls(lease: LeaseRef, network: SandboxSettings["network"]): ContainerCalls;
  /** Null when the run does not answer. */
  hasSaidHello(lease: LeaseRef): Promise<boolean | null>;
  /** The container is the lease's from now on. */
  take(order: ContainerOrder, build: Build, network: SandboxSettings["network"]): void;
}

export class HandOver {
  readonly #parts: HandOverParts;
  #underWay: { lease: LeaseRef; answer: Promise<BeginAnswer> } | null = null;

  constructor(parts: HandOverParts) {
    this.#parts = parts;
  }

  /** Asked twice for one lease it hands it over once. */
  async begin(order: ContainerOrder): Promise<BeginAnswer> {
    if (this.#underWay !== null) {
      return isSameLease(this.#underWay.lease, order.lease) ? await this.#underWay.answer : "gone";
    }
    this.#underWay = { lease: order.lease, answer: this.#handOver(order) };
    try {
      return await this.#underWay.answer;
    } finally {
      this.#underWay = null;
    }
  }

  async #handOver(order: ContainerOrder): Promise<BeginAnswer> {
    const { warm, settingsOf, build, take } = this.#parts;
    const settings = await settingsOf(order.lease);
    // One that is started for the lease asks again.
    if (settings === null) return "unfit";
    const wanted = build(settings.size);
    const answer = warm.give(order.lease, wanted);
    if (answer !== "given") return answer;
    const failure = await this.#bring(order, settings.network);
    if (failure !== null && !(await this.#isTaken(order.lease, settings.network))) {
      warm.notTaken(failure);
      return "gone";
    }
    warm.forget();
    take(order, wanted, settings.network);
    return "begun";
  }

  /** The exit comes first: what the container asks for once it has its brief is its run's. @returns what went wrong, or null. */
  async #bring({ lease, link_token, proxy_token }: ContainerOrder, network: SandboxSettings["network"]) {
    const { warm, calls } = this.#parts;
    const runner = { kind: "container" as const, id: warm.name };
    const brief: ContainerBrief = { instance_url: `http://${INSTANCE_HOST}`, lease, link_token, proxy_token, runner };
    try {
      await calls(lease, network).divert();
      await calls(lease, network).bring(brief, warm.token);
      return null;
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call: "hand_over" }, error);
      return errorText(error);
    }
  }

  /** Whether the container works on the lease, though it is not known that it got the brief. If not, it never will. */
  async #isTaken(lease: LeaseRef, network: SandboxSettings["network"]): Promise<boolean> {
    const { calls, hasSaidHello } = this.#parts;
    if ((await hasSaidHello(lease)) === true) return true;
    await calls(lease, network)
      .destroy()
      .catch((error) => logTrouble("container_call_failed", { ...lease, call: "destroy" }, error));
    // It may have said hello just before.
    return (await hasSaidHello(lease)) !== false;
  }
}
