/** What the platform wakes the worker for beside requests: the minute, and messages of the sweep. */
import type { Refusal } from "#protocol/errors.ts";
import { logLine } from "#protocol/log.ts";
import type { ClockMessage, Env } from "../bindings.ts";
import { settledDeps } from "../deps.ts";
import { lookAt } from "./look-at.ts";
import { sweep } from "./sweep.ts";

export async function scheduled(controller: ScheduledController, environment: Env): Promise<void> {
  const made = await settledDeps(environment);
  if (!made.ok) return tellFaults(made.refusal);
  // A sweep that comes late looks at what has come due since; one on a clock that lags does not come in vain.
  await sweep(made.deps, Math.max(controller.scheduledTime, Date.now()));
}

export async function queue(batch: MessageBatch<ClockMessage>, environment: Env): Promise<void> {
  const made = await settledDeps(environment);
  if (!made.ok) {
    tellFaults(made.refusal);
    batch.retryAll();
    return;
  }
  const failed = await lookAt(
    made.deps,
    batch.messages.map(({ body }) => body),
  );
  for (const message of batch.messages) if (failed.has(message.body.routine_id)) message.retry();
}

function tellFaults({ code, issues = [] }: Refusal): void {
  logLine("error", { what: code, outcome: issues.map(({ field }) => field).join(", ") });
}
