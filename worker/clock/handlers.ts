/** What the platform calls the worker for beside requests: cron, once a minute, and messages of the queues. */
import type { Refusal } from "#protocol/errors.ts";
import { logTrouble, writeWaitingLines } from "#protocol/log.ts";
import { type ModelUsage, modelUsageSchema } from "#protocol/model-usage.ts";
import { type ClockMessage, type Env, type ProbeMessage, probedQueues } from "../bindings.ts";
import { type Deps, settledDeps } from "../deps.ts";
import { tellOwedUsage } from "../proxy/model/owe-usage.ts";
import { lookAt } from "./look-at.ts";
import { sweep } from "./sweep.ts";

export async function scheduled(controller: ScheduledController, environment: Env): Promise<void> {
  // Nothing else may be told for long, and the object that was to write them may be gone.
  writeWaitingLines();
  const made = await settledDeps(environment);
  if (!made.ok) return tellFaults(made.refusal);
  // The later of both times: a late sweep also takes what has come due since, and a clock that lags makes no sweep useless.
  await sweep(made.deps, Math.max(controller.scheduledTime, Date.now()));
}

/** Takes messages of both queues: the form of a message tells from which it is. */
export async function queue(batch: MessageBatch<unknown>, environment: Env): Promise<void> {
  const made = await settledDeps(environment);
  if (!made.ok) {
    tellFaults(made.refusal);
    batch.retryAll();
    return;
  }
  const { deps } = made;
  const looks: Message<ClockMessage>[] = [];
  const tells: Promise<void>[] = [];
  for (const message of batch.messages) {
    const usage = modelUsageSchema.safeParse(message.body);
    if (usage.success) tells.push(tellUsage(deps, message, usage.data));
    else if (isProbe(message.body)) tells.push(deps.heartbeats.note(message.body.probe, Date.now()));
    else looks.push(message as Message<ClockMessage>);
  }
  await Promise.all([lookAtAll(deps, looks), ...tells]);
}

async function lookAtAll(deps: Deps, messages: readonly Message<ClockMessage>[]): Promise<void> {
  if (messages.length === 0) return;
  const failed = await lookAt(
    deps,
    messages.map(({ body }) => body),
  );
  for (const message of messages) if (failed.has(message.body.routine_id)) message.retry();
}

async function tellUsage(deps: Deps, message: Message, usage: ModelUsage): Promise<void> {
  const delaySeconds = await tellOwedUsage(deps, usage, message.attempts);
  if (delaySeconds !== null) message.retry({ delaySeconds });
}

function isProbe(body: unknown): body is ProbeMessage {
  return (
    typeof body === "object" && body !== null && probedQueues.some((name) => "probe" in body && body.probe === name)
  );
}

function tellFaults({ code, issues = [] }: Refusal): void {
  logTrouble("misconfigured", { fields: issues.map(({ field }) => field).join(", ") }, code);
}
