/** What an attempt is given: its order, its place, and its ways to its instance and to people. */
import type { FrameBody, RunOrder } from "#protocol/runner-link.ts";
import type { Delta } from "#protocol/transcript.ts";
import type { Inbox } from "../agent/inbox.ts";
import type { RunnerTools } from "../agent/report-tool.ts";
import type { ShowPlace } from "../agent/show-tool.ts";
import type { ToolGate } from "../agent/tool-gate.ts";
import type { Clone } from "../git/clone-plan.ts";
import type { AttemptSession } from "../session/attempt-session.ts";
import type { SetupStore } from "../setup/setup-store.ts";
import type { AttemptClock } from "./attempt-clock.ts";
import type { SandboxSetting } from "./executor-brief.ts";
import type { DiffPlace } from "./session-diff.ts";
import type { Workplace } from "./workplace.ts";

export interface AttemptOptions {
  order: RunOrder;
  /** The mark of its processes. */
  mark: string;
  place: Workplace;
  proxyToken: string;
  sandbox: SandboxSetting;
  /** What it has to do with other runs of its session; null where the order says nothing of a conversation. */
  session: AttemptSession | null;
  /** Where results of setup scripts are kept. */
  setups: SetupStore;
  /** Its repositories have been cloned. */
  onCloned(clones: readonly Clone[]): void;
  /** Tells the instance what the agent's work has changed, once the agent has ended. */
  keepDiff(where: DiffPlace): Promise<void>;
  /** Which calls of the agent's are let through. */
  gate: ToolGate;
  /** The runner's tools for the agent, beside the one for its report. */
  tools(place: Omit<ShowPlace, "signal">): RunnerTools;
  /** What people say to its agent. */
  inbox: Inbox;
  clock: AttemptClock;
  /** Given when its sandbox is to be given up while the run waits. */
  parking: AbortSignal;
  /** Stops the attempt wherever it is. */
  signal: AbortSignal;
  send(body: FrameBody): void;
  sendDelta(delta: Delta): void;
  /** Settles when more may be sent. */
  room(): Promise<void>;
}
