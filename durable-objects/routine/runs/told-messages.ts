/** What people say, and what has come by a trigger, as the runner of the run is told it. */
import type { RunToRunner } from "#protocol/runner-link.ts";
import { eventMessage } from "#rules/run/run-order.ts";
import type { Message } from "../sessions/messages.ts";

/** Runners ask for a sender, and do nothing with it. */
const NOBODY = { kind: "owner", id: null, name: "trigger" } as const;

export function toldAs(message: Message): RunToRunner {
  const { n, id, text } = message;
  if (message.event !== null) {
    return { type: "message", n, id, text: eventMessage(message.event.summary, text), by: NOBODY };
  }
  return message.kind === "interrupt" ? { type: "interrupt", n } : { type: "message", n, id, text, by: message.by };
}
