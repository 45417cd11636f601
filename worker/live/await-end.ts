/** Waits for the end of a run over a socket of its routine's object, which hibernates meanwhile. */
import { closeQuietly } from "#instance/sockets.ts";
import { WAITER_CLOSE } from "#protocol/run-waiter.ts";
import type { RoutineStub } from "../bindings.ts";

interface Awaited {
  runId: string;
  /** Until when to wait, in Unix milliseconds. */
  untilMs: number;
  /** Aborted when whoever asks has gone away. */
  signal: AbortSignal;
}

/** An object that restarts breaks its sockets: a moment later it is asked again. */
const REDIAL_MS = 250;

/** @returns why the waiting is over; `over`: the run has ended, or the time has, or whoever asked has gone. */
export async function awaitEnd(owner: Pick<RoutineStub, "fetch">, awaited: Awaited): Promise<"over" | "too_many"> {
  const { runId, untilMs, signal } = awaited;
  const url = new URL("https://object/wait");
  url.searchParams.set("run", runId);
  url.searchParams.set("until", String(untilMs));
  while (Date.now() < untilMs && !signal.aborted) {
    const { webSocket } = await owner.fetch(url.href, { headers: { upgrade: "websocket" } });
    if (webSocket === null) throw new Error("the routine's object gave no WebSocket");
    const code = await closeOf(webSocket, awaited);
    if (code === WAITER_CLOSE.tooMany) return "too_many";
    if (code === null || code === WAITER_CLOSE.ended || code === WAITER_CLOSE.noSuchRun) return "over";
    await new Promise((resolve) => setTimeout(resolve, REDIAL_MS));
  }
  return "over";
}

/** @returns with which code the object has closed; null when it has not, and the waiting is over. */
function closeOf(socket: WebSocket, { untilMs, signal }: Awaited): Promise<number | null> {
  return new Promise((resolve) => {
    const settle = (code: number | null) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
      resolve(code);
    };
    const leave = () => {
      closeQuietly(socket, WAITER_CLOSE.ended, "nobody waits any more");
      settle(null);
    };
    const timer = setTimeout(leave, Math.max(0, untilMs - Date.now()));
    socket.addEventListener("close", ({ code }) => settle(code));
    socket.addEventListener("error", () => settle(CLOSED_WITHOUT_CODE));
    signal.addEventListener("abort", leave);
    socket.accept();
  });
}

const CLOSED_WITHOUT_CODE = 1006;
