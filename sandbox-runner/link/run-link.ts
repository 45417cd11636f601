/** The run's link: says hello, gets the order, and brings every frame across, once and in order. */

import type { GivenAnswer } from "#protocol/question.ts";
import type { CancelReason, RunnerRef } from "#protocol/run.ts";
import type { RunnerFeature } from "#protocol/runner-features.ts";
import {
  type FrameBody,
  RUNNER_PROTOCOL,
  type RunnerToRun,
  type RunOrder,
  runToRunnerSchema,
} from "#protocol/runner-link.ts";
import type { Delta } from "#protocol/transcript.ts";
import type { Said } from "../agent/inbox.ts";
import { FrameLog } from "./frame-log.ts";
import { LinkSocket } from "./link-socket.ts";

export interface RunLinkOptions {
  instanceUrl: string;
  runId: string;
  linkToken: string;
  runner: RunnerRef;
  /** Drawn at random by the process that works on the attempt. */
  boot: string;
  onOrder(order: RunOrder): void;
  /** Somebody has answered what the agent asks; may be told again. */
  onAnswer(answer: GivenAnswer): void;
  /** Options that are in force, with each welcome. */
  onFeatures(features: readonly string[]): void;
  onSaid(said: Said): void;
  onClose(): void;
  /** The sandbox of a run that waits is to be given up; may be told again. */
  onPark(): void;
  onCancel(reason: CancelReason): void;
  /** The attempt has ended at the other side: nothing that it does matters any more. */
  onEnded(why: string): void;
  onDown(why: string): void;
}

const FLUSH_MS = 30;
/** With more unsent bytes than this in the socket, frames wait and deltas are dropped. */
const BEHIND_BYTES = 1_048_576;
/** The options that this runner knows. */
const LINK_FEATURES: RunnerFeature[] = ["steer", "tools", "park"];
const BACKOFF = { firstMs: 100, lastMs: 2_000 };

export class RunLink {
  readonly #options: RunLinkOptions;
  readonly #log = new FrameLog();
  readonly #socket: LinkSocket;
  #welcomed = false;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushNow: NodeJS.Immediate | undefined;
  /** When something was sent last, by `performance.now()`. */
  #flushedAt = 0;
  /** The message of which a delta came last. */
  #spokenIn: string | null = null;
  #waiters: { until: () => boolean; go: () => void }[] = [];

  constructor(options: RunLinkOptions) {
    this.#options = options;
    this.#socket = new LinkSocket({
      url: `${options.instanceUrl}/runner/runs/${options.runId}/link`,
      token: options.linkToken,
      backoff: BACKOFF,
      onOpen: () =>
        this.#say({
          type: "hello",
          protocol: RUNNER_PROTOCOL,
          runner: options.runner,
          boot: options.boot,
          features: LINK_FEATURES,
        }),
      onMessage: (text) => this.#hear(text),
      onDown: (why) => {
        // The loss of a link is reported, and not each failed try to get it back.
        if (this.#welcomed) options.onDown(why);
        this.#welcomed = false;
        this.#log.dropDeltas();
      },
      onRefused: ({ why }) => {
        options.onEnded(why);
        return false;
      },
    });
  }

  send(body: FrameBody): void {
    this.#log.append(body);
    if (this.#log.isMuch) this.#flush();
    else this.#flushSoon();
  }

  sendDelta(delta: Delta): void {
    if (!this.#welcomed || this.#log.full || this.#socket.bufferedBytes > BEHIND_BYTES) return;
    this.#log.addDelta(delta);
    // The first words of a message are what somebody waits for.
    if (delta.message_id === this.#spokenIn) this.#flushSoon();
    else this.#flushAtOnce();
    this.#spokenIn = delta.message_id;
  }

  /** Settles when another frame may be made. */
  room(): Promise<void> {
    return this.#when(() => !this.#log.full);
  }

  /** Settles when every frame is stored at the other side. */
  settled(): Promise<void> {
    return this.#when(() => this.#log.settled);
  }

  async close(): Promise<void> {
    this.#stopTimers();
    await this.#socket.close();
  }

  #hear(text: string): void {
    const message = parseMessage(text);
    if (message === null) return;
    if (message.type === "welcome") {
      this.#welcomed = true;
      this.#log.resendAfter(message.ack);
      this.#options.onFeatures(message.features);
      this.#options.onOrder(message.order);
    } else if (message.type === "ack") {
      this.#log.acknowledge(message.n);
    } else if (message.type === "resend") {
      this.#log.resendAfter(message.after);
    } else if (message.type === "message" || message.type === "interrupt") {
      this.#options.onSaid(message);
    } else if (message.type === "close") {
      this.#options.onClose();
    } else if (message.type === "park") {
      this.#options.onPark();
    } else if (message.type === "cancel") {
      this.#options.onCancel(message.reason);
    } else if (message.type === "answer") {
      this.#options.onAnswer(message);
    }
    this.#flush();
    this.#wake();
  }

  /** What comes first after a pause goes as soon as its own event has been seen to; what follows it is gathered. */
  #flushSoon(): void {
    if (this.#flushTimer !== undefined || this.#flushNow !== undefined) return;
    const waitMs = this.#flushedAt + FLUSH_MS - performance.now();
    if (waitMs <= 0) this.#flushAtOnce();
    else this.#flushTimer = setTimeout(() => this.#flush(), waitMs);
  }

  #flushAtOnce(): void {
    this.#flushNow ??= setImmediate(() => this.#flush());
  }

  #stopTimers(): void {
    clearTimeout(this.#flushTimer);
    clearImmediate(this.#flushNow);
    this.#flushTimer = undefined;
    this.#flushNow = undefined;
  }

  #flush(): void {
    this.#stopTimers();
    if (!this.#welcomed) return;
    while (this.#socket.bufferedBytes <= BEHIND_BYTES) {
      const message = this.#log.next();
      if (message === null) return;
      this.#flushedAt = performance.now();
      if (!this.#socket.send(message)) return;
    }
    this.#flushedAt = performance.now();
    this.#log.dropDeltas();
    this.#flushSoon();
  }

  #say(message: RunnerToRun): void {
    this.#socket.send(JSON.stringify(message));
  }

  #when(until: () => boolean): Promise<void> {
    if (until()) return Promise.resolve();
    return new Promise((go) => this.#waiters.push({ until, go }));
  }

  #wake(): void {
    const due = this.#waiters.filter(({ until }) => until());
    this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter));
    for (const { go } of due) go();
  }
}

/** @returns null for a message that this version does not know. */
function parseMessage(text: string) {
  try {
    return runToRunnerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
