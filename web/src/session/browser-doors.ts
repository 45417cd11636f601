/** What a live connection needs of the browser. */
import { interruptSession, issueTicket, sendMessage } from "../client/generated.ts";
import { asProblem, isPassing } from "../problem.ts";
import type { PostAnswer } from "./composer/outgoing.ts";
import type { LiveDoors, LiveSocket, Said, SocketHandlers, TicketAnswer } from "./live-connection.ts";

export function browserDoors(sessionId: string): LiveDoors {
  return {
    issueTicket: () => askForTicket(sessionId),
    openSocket: (after, ticket, handlers) => openSocket(sessionId, after, ticket, handlers),
    setTimer: setBrowserTimer,
    random: Math.random,
    isOnline: () => navigator.onLine,
  };
}

/** @returns how to cancel it. */
export function setBrowserTimer(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

/** Says it over HTTP: where no connection is live, or one does not answer. */
export async function postSaid(sessionId: string, said: Said): Promise<PostAnswer> {
  try {
    if (said.type === "message") await sendMessage(sessionId, { id: said.id, text: said.text });
    else await interruptSession(sessionId, { id: said.id });
    return { accepted: true };
  } catch (error) {
    const { message, hint } = asProblem(error);
    return isPassing(error) ? { failed: true } : { refused: hint === null ? message : `${message} ${hint}` };
  }
}

async function askForTicket(sessionId: string): Promise<TicketAnswer> {
  try {
    return await issueTicket(sessionId);
  } catch (error) {
    const { status } = asProblem(error);
    if (status === 401) return { refused: "signed-out" };
    if (status === 404) return { refused: "gone" };
    return { failed: true };
  }
}

function openSocket(sessionId: string, after: number, ticket: string, handlers: SocketHandlers): LiveSocket {
  const url = new URL(`/api/v1/sessions/${encodeURIComponent(sessionId)}/live`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams({ after: String(after), ticket }).toString();
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => handlers.message(String(data));
  socket.onclose = ({ code }) => handlers.closed(code);
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: (code) => socket.close(code),
  };
}

/**
 * Before the next painting; in a page that nobody looks at, where nothing is painted, every quarter of a second.
 * @returns how to cancel it.
 */
export function beforePainting(callback: () => void): () => void {
  if (document.visibilityState === "hidden") {
    const timer = setTimeout(callback, 250);
    return () => clearTimeout(timer);
  }
  const frame = requestAnimationFrame(callback);
  return () => cancelAnimationFrame(frame);
}
