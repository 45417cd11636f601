/** Ends the agent's turn so that another attempt can go on with the conversation. */
import type { Query } from "@anthropic-ai/claude-agent-sdk";
import { within } from "../process/within.ts";
import type { AgentLife } from "./agent-end.ts";
import type { AgentSteering } from "./agent-steering.ts";
import type { ToolGate } from "./tool-gate.ts";

/** How long its background tasks, and its turn, may take to stop before its program is ended by force. */
const STOP_TASKS_MS = 1_000;
const STOP_TURN_MS = 60_000;

/**
 * A call that waits for a person is put off: its program then ends by itself, and has the call in its conversation. Settles when
 * the program may be ended.
 */
export async function parkAgent(
  agent: Query,
  { life, steering, gate, signal }: { life: AgentLife; steering: AgentSteering; gate: ToolGate; signal: AbortSignal },
): Promise<void> {
  steering.park();
  const { livingTasks } = life;
  await within(STOP_TASKS_MS, Promise.allSettled(livingTasks.map(({ id }) => agent.stopTask(id))), undefined);
  if (gate.asking !== null) {
    // The program would go on with a message that it has been given, and take the call for one that failed.
    if (!steering.hasGivenAll) return;
    gate.putOff();
  } else if (life.isInTurn) {
    await within(
      STOP_TASKS_MS,
      agent.interrupt().catch(() => undefined),
      undefined,
    );
  }
  await within(STOP_TURN_MS, steering.turnEnds(signal), undefined);
}
