/** The offline demo model as a server: the Messages API in front of its scripts. */

import { createMessagesServer, type MessagesServer } from "./messages-api.ts";
import { nextReply } from "./next-reply.ts";

/** Text comes in small pieces with this much time before each, so that viewers see it being written. */
const DELTA_DELAY_MS = 10;

/** Listens on a free port of 127.0.0.1. */
export function startDemoModel(): Promise<MessagesServer> {
  return createMessagesServer({
    reply: (request) => ({ kind: "message", deltaDelayMs: DELTA_DELAY_MS, ...nextReply(request) }),
  });
}
