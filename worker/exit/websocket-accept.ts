/** The proof in an accepted upgrade that it was this key's: RFC 6455, section 1.3. */

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * The answer with `Sec-WebSocket-Accept` where it accepts an upgrade. The platform sets it for callers of its own; what a
 * container sends has come through other hands, and a client that misses it closes the socket.
 */
export async function withAcceptKey(request: Request, answer: Response): Promise<Response> {
  const key = request.headers.get("sec-websocket-key");
  if (answer.status !== 101 || answer.webSocket === null || key === null) return answer;
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(`${key}${MAGIC}`));
  const accept = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const protocol = answer.headers.get("sec-websocket-protocol");
  const agreed: Record<string, string> = protocol === null ? {} : { "sec-websocket-protocol": protocol };
  const headers = { ...agreed, "sec-websocket-accept": accept };
  return new Response(null, { status: 101, webSocket: answer.webSocket, headers });
}
