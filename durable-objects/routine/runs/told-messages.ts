/** What people say, and what has come by a trigger, as the runner of the run is told it. */
import type { RunToRunner } from "#protocol/runner-link.ts";
import { eventMessage } from "#rules/run/run-order.ts";
import { canPark } from "#rules/run/waiting.ts";
import type { Message } from "../sessions/messages.ts";
import type { RunRow } from "./run-store.ts";

/**
 * What the attempt's runner has to be told when it has connected anew: it may not have got it before.
 *
 * @param waiting messages that it has not taken; none where it can't be told any.
 */
export function toldAnew({ doc, features, ending }: RunRow, waiting: readonly Message[]): RunToRunner[] {
  const said = waiting.map(toldAs);
  if (doc.cancel_reason !== null) said.push({ type: "cancel", reason: doc.cancel_reason });
  if (ending === "closing") said.push({ type: "close" });
  if (canPark({ features }) && doc.status === "waiting" && doc.waiting.held_until === null) said.push({ type: "park" });
  return said;
}

/** Runners ask for a sender, and do nothing with it. */
const NOBODY = { kind: "owner", id: null, name: "trigger" } as const;

export function toldAs(message: Message): RunToRunner {
  const { n, id, text } = message;
  if (message.event !== null) {
    return { type: "message", n, id, text: eventMessage(message.event.summary, text), by: NOBODY };
  }
  return message.kind === "interrupt" ? { type: "interrupt", n } : { type: "message", n, id, text, by: message.by };
}
