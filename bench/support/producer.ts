/** What a runner is to the bare object: one WebSocket for each session, one message for each event. */
import type { RunnerEvent } from "#protocol/transcript.ts";
import { nowMs } from "./clock.ts";
import { type PushOrder, type PushReport, pushEvents } from "./push.ts";
import { RawSocket } from "./raw-socket.ts";
import { serveHelper } from "./serve-helper.ts";

interface Session {
  socket: RawSocket;
  id: string;
  seq: number;
}

let sessions: Session[] = [];

const face = {
  /** @param order one address for each session. */
  async join({ urls }: { urls: string[] }): Promise<void> {
    const fail = (why: string) => {
      throw new Error(`a producer was ${why}`);
    };
    sessions = await Promise.all(
      urls.map(async (url, index) => {
        const socket = await RawSocket.open({ url, headers: {}, onMessage: () => {}, onClose: fail });
        return { socket, id: `session_${String(index).padStart(26, "0")}`, seq: 0 };
      }),
    );
  },

  /** Sends events in all sessions at once; nothing is acknowledged. */
  async push(order: PushOrder): Promise<PushReport> {
    const startedAt = nowMs();
    await Promise.all(
      sessions.map((session) =>
        pushEvents(order, (event) => {
          session.seq += 1;
          return session.socket.send(asSent(session, event)) ? null : session.socket.drained();
        }),
      ),
    );
    return { startedAt, endedAt: nowMs() };
  },
};

export type Producer = typeof face;
serveHelper(face);

/** With what a transcript's events have beside their content, so that both sides store and send the same bytes. */
function asSent({ id, seq }: Session, event: RunnerEvent): string {
  const run_id = `run_${id.slice(-26)}`;
  return JSON.stringify({ seq, at: new Date().toISOString(), session_id: id, run_id, ...event });
}
