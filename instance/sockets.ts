/** Sending, closing and reading that can't throw: a socket that goes away in between is no error. */

export function sendQuietly(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // The close handler of this socket follows, and its reader resumes from what it has acknowledged.
  }
}

export function closeQuietly(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}

/**
 * Answers the close of the other side, which waits for it: the platform does not answer for a socket that hibernates.
 * A code that no endpoint may send (there was none, or the connection broke) is answered with 1000.
 */
export function answerClose(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    closeQuietly(socket, 1000, "");
  }
}

/** Accepts an upgrade only to close it with a code: an HTTP status would not reach a browser's script. */
export function refuseUpgrade(code: number, reason: string): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.close(code, reason);
  return new Response(null, { status: 101, webSocket: client });
}
