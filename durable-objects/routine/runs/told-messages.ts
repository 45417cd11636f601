/** What people say, as the runner of the run is told it. */
import type { RunToRunner } from "#protocol/runner-link.ts";
import type { Message } from "../sessions/messages.ts";

export function toldAs({ n, id, kind, text, by }: Message): RunToRunner {
  return kind === "interrupt" ? { type: "interrupt", n } : { type: "message", n, id, text, by };
}
