/** Where an attempt works: its folder, its relay and its sandbox. All of it can be made before there is a lease. */

import { join } from "node:path";
import type { Network } from "#protocol/environment.ts";
import type { HostUse } from "#protocol/host-use.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { runVariables } from "../agent/agent-environment.ts";
import { openingOf, userMessage } from "../agent/opening.ts";
import { CloneCache } from "../git/clone-cache.ts";
import { OutsideTally } from "../network/outside-tally.ts";
import type { WayOut } from "../network/way-out.ts";
import type { Prepared } from "../prepared/prepared.ts";
import { PreparedAgent, type PreparedAgentOptions } from "../prepared/prepared-agent.ts";
import { type Expected, wantedOf } from "../prepared/start-shape.ts";
import { startTimeOf } from "../process/marked-processes.ts";
import { createRunFolder, type RunFolder } from "../process/run-folder.ts";
import { type Inside, NOTHING_INSIDE } from "../process/run-usage.ts";
import { within } from "../process/within.ts";
import { type Relay, startRelay, type ToldRefusal } from "../sandbox/relay.ts";
import type { Sandbox, SandboxResult } from "../sandbox/sandbox.ts";

export interface WorkplaceOptions {
  /** Used once: its folder has it. */
  name: string;
  /** Without a slash at its end. */
  instanceUrl: string;
  stateFolder: string;
  /** Where the machine is the run's own: the home at a place of its own. */
  home?: string;
  /**
   * How the sandbox's requests leave this machine, given what its run may reach; null where the sandbox has a way out of its
   * own. Asked once.
   */
  out: ((policy: Network) => Promise<WayOut>) | null;
  signal: AbortSignal;
  /** Opens the sandbox; asked again when the one that it opened ahead has died. */
  open(folder: RunFolder, relayPort: number): Promise<SandboxResult>;
}

/** Who is told of an agent that is prepared. */
type ToldOfAgent = Pick<PreparedAgentOptions, "log" | "onReady" | "onUnfit">;

/** Commands that a run begins with at most one after the other: its clone, and its agent. */
const FIRST_COMMANDS = 2;
/** For an order of a version that knows of no environments. */
const NO_HOSTS: Network = { level: "none", allow: [] };
const CLOSE_DEADLINE_MS = 2_000;

export class Workplace {
  readonly folder: RunFolder;
  readonly relay: Relay;
  readonly #options: WorkplaceOptions;
  readonly #tally = new OutsideTally();
  #opening: Promise<SandboxResult>;
  #sandbox: Sandbox | null = null;
  #isOpened = false;
  #isClaimed = false;
  /** Whether the sandbox was opened before there was a lease: it may have died since, so it is checked before it is used. */
  #isAhead = false;
  #agent: PreparedAgent | null = null;
  #expected: Expected | null = null;

  /** Settles when the folder is there and the relay listens; the sandbox is then being opened. */
  static async make(options: WorkplaceOptions): Promise<Workplace> {
    const holder = { pid: process.pid, startTime: startTimeOf(process.pid) };
    const [folder, relay] = await Promise.all([
      createRunFolder(options.stateFolder, options.name, holder, options.home),
      startRelay({ instanceUrl: options.instanceUrl }),
    ]);
    return new Workplace(options, folder, relay);
  }

  private constructor(options: WorkplaceOptions, folder: RunFolder, relay: Relay) {
    this.folder = folder;
    this.relay = relay;
    this.#options = options;
    this.#opening = this.#open();
  }

  /**
   * Settles when the sandbox is open, or can't be had, and all else that can be done without a lease is done.
   * @returns whether no lease has come meanwhile, and in what and as whom commands will run, or why there is no sandbox.
   */
  async prepared(): Promise<{ isSpare: boolean; sandbox: Record<string, string | number> }> {
    const opened = await this.#opening;
    this.#isOpened = true;
    const { isSpare } = this;
    if (opened.ok && isSpare) opened.sandbox.enterAhead(FIRST_COMMANDS);
    return { isSpare, sandbox: describe(opened) };
  }

  /** Whether no lease has come yet. */
  get isSpare(): boolean {
    return !this.#isClaimed && !this.#options.signal.aborted;
  }

  /** Whether agents can be prepared in a place like this one; false until its sandbox is open. */
  get canPrepare(): boolean {
    return this.#sandbox?.kind === "sandbox-runtime";
  }

  /**
   * Has an agent prepared here for such runs, in place of one that is; null for none. Only where the sandbox keeps
   * everything else from the relay: the agent's credential is worth something at that one alone.
   */
  async expect(expected: Expected | null, told: ToldOfAgent): Promise<void> {
    this.#expected = expected;
    const opened = await this.#opening;
    if (this.#isClaimed || this.#options.signal.aborted) return;
    if (!opened.ok || opened.sandbox.kind !== "sandbox-runtime") return;
    if (this.#agent === null && this.#expected === null) return;
    this.#agent ??= this.#prepareAgent(opened.sandbox, told);
    this.#agent.expect(this.#expected);
  }

  /** A lease has come: its attempt takes the place over. */
  claim(): void {
    this.#isClaimed = true;
    this.#isAhead = this.#isOpened;
    this.#agent?.claim();
  }

  /**
   * Nothing of the run's may be done in the sandbox before this has settled.
   * @returns the agent that waits here for such a run; null when there is none, and nothing is left of one. Never rejects.
   */
  async agentFor(order: RunOrder, proxyToken: string): Promise<Prepared | null> {
    const opening = openingOf(order, "");
    const task = opening.by === "text" ? userMessage(opening.text) : null;
    const run = { id: order.run_id, token: proxyToken, variables: runVariables(order), task };
    return (await this.#agent?.takeFor(wantedOf(order), run)) ?? null;
  }

  /**
   * From now on the sandbox has its way to the instance, and to the hosts that its environment's policy allows.
   * @param onRefused is told of what is refused, of the same once.
   * @throws Error when there is no way out.
   */
  async openWay(order: RunOrder, onRefused: (refusal: ToldRefusal) => void): Promise<void> {
    const { run_id, repositories, environment } = order;
    const policy = environment?.network ?? NO_HOSTS;
    const out = (await this.#options.out?.(policy)) ?? null;
    const outside = out === null ? null : { out, tally: this.#tally, policy };
    this.relay.serve({ runId: run_id, repositories: repositories.length }, onRefused, outside);
  }

  /** Which hosts have been asked for by way of this program. */
  get hosts(): HostUse[] {
    return this.#tally.rows;
  }

  /** The sandbox; opened anew when the one that was opened ahead is dead, or could not be had then. */
  async sandbox(): Promise<SandboxResult> {
    const opened = await this.#opening;
    if (!this.#isAhead || (opened.ok && (await opened.sandbox.isAlive()))) return opened;
    this.#isAhead = false;
    await this.#agent?.close();
    this.#agent = null;
    if (opened.ok) await within(CLOSE_DEADLINE_MS, opened.sandbox.close(), undefined);
    this.#opening = this.#open();
    return await this.#opening;
  }

  /** Ends what runs here, and takes it down. Whoever ends the attempt looks for what is left of it. */
  async close(): Promise<void> {
    const takenDown = this.#takeDown().catch(() => {});
    await within(CLOSE_DEADLINE_MS, takenDown, undefined);
  }

  /** What earlier clones on this machine have received. */
  get cloneCache(): { clones: CloneCache; instanceUrl: string } {
    const { stateFolder, instanceUrl } = this.#options;
    return { clones: new CloneCache(join(stateFolder, "clones")), instanceUrl };
  }

  /** What is to be counted as the run's use of this machine. */
  inside(): Inside {
    return this.#sandbox?.inside() ?? NOTHING_INSIDE;
  }

  #prepareAgent(sandbox: Sandbox, told: ToldOfAgent): PreparedAgent {
    const { folder, relay } = this;
    const relayUrl = sandbox.relayUrl(relay.url);
    const cache = this.cloneCache;
    const agent = new PreparedAgent({ mark: this.#options.name, sandbox, folder, relayUrl, cache, ...told });
    relay.accept(agent.standIn);
    return agent;
  }

  #open(): Promise<SandboxResult> {
    return this.#options.open(this.folder, this.relay.port).then((opened) => {
      if (opened.ok) this.#sandbox = opened.sandbox;
      return opened;
    });
  }

  async #takeDown(): Promise<void> {
    const opened = await this.#opening;
    if (opened.ok) await opened.sandbox.close();
    await this.relay.close();
  }
}

function describe(opened: SandboxResult): Record<string, string | number> {
  if (!opened.ok) return { sandbox: opened.reason };
  const { sandbox, user, declined } = opened;
  return { sandbox: sandbox.kind, user, ...(declined === null ? {} : { no_other_user: declined }) };
}
