/** Server-sent events over the object's `/live` socket, so that there is one live mechanism. */
import { streamStart, translate } from "./translate.ts";

interface SseTiming {
  commentMs: number;
  idleMs: number;
}

const SSE_TIMING: SseTiming = { commentMs: 15_000, idleMs: 300_000 };

/** A reader this many messages behind gets no text deltas: the message that supersedes them comes anyway. */
const DELTA_BACKLOG = 64;

interface Piece {
  text: string;
  ack: number | null;
}

/**
 * @param socket the object's side, not yet accepted. What comes over it is acknowledged when the reader asks for
 *   more, so the object sends no faster than the reader takes; it is closed when the reader goes away.
 * @param signal aborted when the reader's request is.
 */
export function sseAnswer(socket: WebSocket, after: number, signal?: AbortSignal, timing = SSE_TIMING): Response {
  const encoder = new TextEncoder();
  const waiting: Piece[] = [{ text: "retry: 1000\n\n", ack: null }];
  let state = streamStart(after);
  let unacknowledged: number | null = null;
  let isOver = false;
  let wake: () => void = () => {};
  let lastNewsAt = Date.now();

  const finish = () => {
    if (isOver) return;
    isOver = true;
    clearInterval(beat);
    try {
      socket.close(1000, "the reader has all there is");
    } catch {
      // Closed already, from the other side.
    }
    wake();
  };
  const beat = setInterval(() => {
    if (Date.now() - lastNewsAt >= timing.idleMs) return finish();
    if (waiting.length === 0) waiting.push({ text: ": still here\n\n", ack: null });
    wake();
  }, timing.commentMs);

  socket.addEventListener("message", ({ data }) => {
    if (isOver || typeof data !== "string") return;
    const step = translate(state, data);
    state = step.state;
    if (step.text !== "") lastNewsAt = Date.now();
    if (!step.isDelta || waiting.length < DELTA_BACKLOG) waiting.push({ text: step.text, ack: step.ack });
    if (step.isEnd) finish();
    wake();
  });
  socket.addEventListener("close", finish);
  socket.addEventListener("error", finish);
  signal?.addEventListener("abort", finish);
  socket.accept();

  const stream = new ReadableStream<Uint8Array>(
    {
      // Asked for more: what was given before has been taken.
      pull: async (controller) => {
        if (unacknowledged !== null && !isOver) socket.send(JSON.stringify({ type: "ack", seq: unacknowledged }));
        unacknowledged = null;
        for (;;) {
          const piece = waiting.shift();
          if (piece === undefined && isOver) return controller.close();
          if (piece !== undefined) unacknowledged = piece.ack ?? unacknowledged;
          if (piece !== undefined && piece.text !== "") return controller.enqueue(encoder.encode(piece.text));
          if (piece === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
  });
}
