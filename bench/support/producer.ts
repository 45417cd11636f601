/** What a runner is to a bare object: one WebSocket for each session, with one message for each event or for many. */
import type { RunnerEvent } from "#protocol/transcript.ts";
import { nowMs } from "./clock.ts";
import { type PushOrder, type PushReport, pushEvents } from "./push.ts";
import { RawSocket } from "./raw-socket.ts";
import { serveHelper } from "./serve-helper.ts";

/** As a runner of ours gathers them: in one message, and before one is acknowledged. */
const MESSAGE_EVENTS = 64;
const MESSAGE_LENGTH = 131_072;
const WINDOW_EVENTS = 1_024;
const GATHER_MS = 30;

/** Brings the events of one session across. */
interface Writer {
  /** @returns null where there is room for the next one at once. */
  send(event: RunnerEvent): Promise<void> | null;
  sendDelta(delta: object): void;
  /** Settles when all that was sent has been acknowledged, or handed over where nothing is acknowledged. */
  settled(): Promise<void>;
}

let writers: Writer[] = [];

const face = {
  /** @param order one address for each session, and whether the object takes many events in a message and acknowledges. */
  async join({ urls, batches }: { urls: string[]; batches: boolean }): Promise<void> {
    writers = await Promise.all(urls.map((url, index) => (batches ? manyInOne(url) : oneByOne(url, index))));
  },

  /** Sends events in all sessions at once. */
  async push(order: PushOrder): Promise<PushReport> {
    const startedAt = nowMs();
    await Promise.all(
      writers.map(async (writer) => {
        await pushEvents(order, writer);
        await writer.settled();
      }),
    );
    return { startedAt, endedAt: nowMs() };
  },
};

export type Producer = typeof face;
serveHelper(face);

async function oneByOne(url: string, index: number): Promise<Writer> {
  const socket = await RawSocket.open({ url, headers: {}, onMessage: () => {}, onClose: fail });
  const id = `session_${String(index).padStart(26, "0")}`;
  const run_id = `run_${id.slice(-26)}`;
  let seq = 0;
  const send = (message: object) => (socket.send(JSON.stringify(message)) ? null : socket.drained());
  return {
    send: (event) => {
      seq += 1;
      // With what a transcript's events have beside their content, so that both sides store and send the same bytes.
      return send({ seq, at: new Date().toISOString(), session_id: id, run_id, ...event });
    },
    sendDelta: (delta) => void send(delta),
    settled: async () => {},
  };
}

async function manyInOne(url: string): Promise<Writer> {
  let sent = 0;
  let acknowledged = 0;
  let lines: string[] = [];
  let length = 0;
  let timer: NodeJS.Timeout | null = null;
  let waiters: { until: () => boolean; go: () => void }[] = [];
  const when = (until: () => boolean) => new Promise<void>((go) => waiters.push({ until, go }));
  const onMessage = (payload: Buffer) => {
    acknowledged = Number(payload.toString("latin1"));
    const due = waiters.filter(({ until }) => until());
    waiters = waiters.filter((waiter) => !due.includes(waiter));
    for (const { go } of due) go();
  };
  const socket = await RawSocket.open({ url, headers: {}, onMessage, onClose: fail });
  const flush = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (lines.length > 0) socket.send(lines.join("\n"));
    lines = [];
    length = 0;
  };
  return {
    send: (event) => {
      const line = JSON.stringify(event);
      if (length > 0 && length + line.length > MESSAGE_LENGTH) flush();
      length += line.length;
      sent += 1;
      if (lines.push(line) >= MESSAGE_EVENTS) flush();
      else timer ??= setTimeout(flush, GATHER_MS);
      const hasRoom = () => sent - acknowledged < WINDOW_EVENTS;
      return hasRoom() ? null : when(hasRoom);
    },
    sendDelta: () => fail("asked for live text, which the object that gathers does not pass on"),
    settled: () => {
      const isSettled = () => acknowledged >= sent;
      return isSettled() ? Promise.resolve() : when(isSettled);
    },
  };
}

function fail(why: string): never {
  throw new Error(`a producer was ${why}`);
}
