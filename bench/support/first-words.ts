/** From the fire to the agent's first words, as a viewer sees them. */
import { fireAnswerSchema } from "#protocol/api.ts";
import { type LiveMessage, liveMessageSchema } from "#protocol/viewer.ts";
import { nowMs } from "./clock.ts";
import { RawSocket } from "./raw-socket.ts";
import type { BenchRoutine } from "./reveille.ts";
import type { Served } from "./served.ts";

/** In milliseconds, as somebody sees it who fires and then watches. Resolves when the run is over. */
export async function fireToFirstWords(served: Served, { id, fireToken }: BenchRoutine): Promise<number> {
  const startedAt = nowMs();
  const fired = await fetch(`${served.url}/v1/claude_code/routines/${id}/fire`, {
    method: "POST",
    headers: { authorization: `Bearer ${fireToken}`, "content-type": "application/json" },
    body: "{}",
  });
  const { claude_code_session_id: session } = fireAnswerSchema.parse(await fired.json());
  const over = Promise.withResolvers<void>();
  let firstAt: number | null = null;
  let socket: RawSocket | null = null;
  let seen = 0;
  // A run may be longer than the minute that a viewer has to acknowledge something.
  const acknowledge = (seq: number) => {
    seen = seq;
    socket?.send(JSON.stringify({ type: "ack", seq }));
  };
  socket = await RawSocket.open({
    url: `${served.url}/api/v1/sessions/${session}/live?after=0`,
    headers: { authorization: `Bearer ${served.ownerToken}` },
    onMessage: (payload) => {
      const receivedAt = nowMs();
      for (const event of eventsOf(liveMessageSchema.parse(JSON.parse(payload.toString("utf8"))))) {
        if (event.type === "run.step") acknowledge(event.seq);
        if (event.type === "agent.delta" || event.type === "agent.message" || event.type === "tool.call")
          firstAt ??= receivedAt;
        if (event.type === "run.finished" && event.status === "succeeded") over.resolve();
        if (event.type === "run.finished") over.reject(new Error(`the run ${event.status}: ${event.error?.message}`));
      }
    },
    onClose: (why) => over.reject(new Error(why)),
  });
  acknowledge(seen);
  await over.promise;
  socket.end();
  if (firstAt === null) throw new Error("the agent said nothing");
  return firstAt - startedAt;
}

function eventsOf(message: LiveMessage): LiveMessage[] {
  return message.type === "events" ? message.events : [message];
}
