/** Whether a request asks for a WebSocket. */
import type { HttpContext } from "./http-env.ts";

export function isWebSocketUpgrade(c: HttpContext): boolean {
  return c.req.method === "GET" && c.req.header("upgrade")?.toLowerCase() === "websocket";
}
