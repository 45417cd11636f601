/** Sockets on which no runner has registered yet. They have a while to do so, also when the object is evicted meanwhile. */
import { SocketDeadlines } from "#instance/socket-deadlines.ts";
import { REGISTER_DEADLINE_MS } from "#protocol/runner-link.ts";
import { attachmentOf } from "./known-runners.ts";

interface NewcomerAttachment {
  /** Until when a runner may register on it, in Unix milliseconds. */
  untilMs: number;
  /** As in the attachment of a runner that has registered. */
  tokenId?: string;
}

export function unregisteredSockets(context: DurableObjectState): SocketDeadlines {
  return new SocketDeadlines(() =>
    context
      .getWebSockets()
      .filter((socket) => socket.readyState === WebSocket.OPEN && attachmentOf(socket) === null)
      .map((socket) => {
        const noted: NewcomerAttachment | null = socket.deserializeAttachment();
        // Sockets that an earlier version accepted have no attachment: their deadline counts from now.
        return [socket, noted?.untilMs ?? noteNewcomer(socket, null, Date.now())] as const;
      }),
  );
}

/** @param tokenId of the token by which it was let in. @returns until when a runner may register on it. */
export function noteNewcomer(socket: WebSocket, tokenId: string | null, nowMs: number): number {
  const untilMs = nowMs + REGISTER_DEADLINE_MS;
  socket.serializeAttachment({
    untilMs,
    ...(tokenId === null ? {} : { tokenId }),
  } satisfies NewcomerAttachment);
  return untilMs;
}

/** By which token a socket was let in, whether or not a runner has registered on it; null for RUNNER_TOKEN. */
export function tokenIdOf(socket: WebSocket): string | null {
  const noted: Pick<NewcomerAttachment, "tokenId"> | null = socket.deserializeAttachment();
  return noted?.tokenId ?? null;
}
