/** The outside world of a live connection, in the hands of a test. */
import type { Delta, TranscriptEvent } from "#protocol/transcript.ts";
import {
  type ConnectionState,
  LiveConnection,
  type LiveDoors,
  type SaidAnswer,
  type SocketHandlers,
  type TicketAnswer,
} from "#web/src/session/live-connection.ts";

export interface FakeSocket extends SocketHandlers {
  after: number;
  ticket: string;
  sent: string[];
  /** With which code the page has closed it; null while it has not. */
  closedWith: number | null;
}

interface Timer {
  callback: () => void;
  atMs: number;
}

/** A connection after `after`, with everything that it does and tells. */
export function openConnection(after = 0) {
  const sockets: FakeSocket[] = [];
  const tickets: TicketAnswer[] = [];
  const timers = new Set<Timer>();
  const heard = {
    states: [] as ConnectionState[],
    seqs: [] as number[],
    deltas: [] as Delta[],
    caughtUp: [] as number[],
    interrupted: 0,
    answers: [] as SaidAnswer[],
  };
  const clock = { nowMs: 0 };
  const world = { isOnline: true, asked: 0 };
  const doors: LiveDoors = {
    issueTicket: async () => {
      world.asked += 1;
      return tickets.shift() ?? { ticket: `ticket ${world.asked}` };
    },
    openSocket: (position, ticket, handlers) => {
      const socket: FakeSocket = { ...handlers, after: position, ticket, sent: [], closedWith: null };
      sockets.push(socket);
      return {
        send: (text) => socket.sent.push(text),
        close: (code) => {
          socket.closedWith = code;
        },
      };
    },
    setTimer: (callback, ms) => {
      const timer = { callback, atMs: clock.nowMs + ms };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    random: () => 1,
    isOnline: () => world.isOnline,
  };
  const connection = new LiveConnection(after, doors, {
    events: (events: TranscriptEvent[]) => heard.seqs.push(...events.map(({ seq }) => seq)),
    delta: (delta) => heard.deltas.push(delta),
    caughtUp: (seq) => heard.caughtUp.push(seq),
    interrupted: () => {
      heard.interrupted += 1;
    },
    state: (state) => heard.states.push(state),
    answered: (answer) => heard.answers.push(answer),
  });

  /** Lets time pass: timers fire in their order, and what waits for an answer goes on. */
  async function pass(ms: number): Promise<void> {
    const endMs = clock.nowMs + ms;
    for (;;) {
      await settle();
      const next = [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      timers.delete(next);
      clock.nowMs = next.atMs;
      next.callback();
    }
    clock.nowMs = endMs;
    await settle();
  }

  async function start(): Promise<FakeSocket> {
    connection.start();
    await settle();
    return last();
  }

  function last(): FakeSocket {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  return { connection, sockets, tickets, timers, heard, world, pass, start, last };
}

/** What the instance says. */
export function say(socket: FakeSocket, message: unknown): void {
  socket.message(JSON.stringify(message));
}

export function sayCaughtUp(socket: FakeSocket, seq: number): void {
  say(socket, { type: "caught_up", seq, active: true });
}

/** The seqs that were acknowledged, in their order. */
export function acksOf({ sent }: FakeSocket): number[] {
  return sent.filter((text) => text !== "ping").map((text) => JSON.parse(text).seq);
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}
