/** Passes a request of a container on to a host of the internet, and the answer back, both as they come. */
import { errorAnswer } from "#protocol/errors.ts";
import { endToEnd } from "#rules/network/hop-by-hop.ts";
import { newRequestId } from "../http/request-id.ts";

/** A host that has not begun to answer after so long does not. */
const ANSWER_MS = 300_000;

const OWN_TO_A_SOCKET = ["sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"];

/**
 * Adds nothing of the instance's, keeps nothing, and follows no redirect: where it leads is judged when the container asks
 * for it.
 * @param ask `fetch`, or another way out of this machine.
 */
export async function passOut(request: Request, ask: typeof fetch, answerMs = ANSWER_MS): Promise<Response> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), answerMs);
  try {
    const answer = await ask(request.url, {
      method: request.method,
      headers: outgoing(request.headers),
      body: request.body,
      redirect: "manual",
      // What one run was answered is no answer for another.
      cache: "no-store",
      signal: AbortSignal.any([request.signal, silence.signal]),
    });
    if (answer.webSocket !== null) {
      return new Response(null, { status: 101, webSocket: answer.webSocket, headers: passed(answer.headers) });
    }
    return new Response(answer.body, {
      status: answer.status,
      statusText: answer.statusText,
      headers: passed(answer.headers),
    });
  } catch {
    return unreachable(new URL(request.url).hostname);
  } finally {
    clearTimeout(timer);
  }
}

function outgoing(headers: Headers): Headers {
  const sent = passed(headers);
  // The platform opens the WebSocket by itself: what the container's program says of its own connection is for nobody else.
  if (headers.get("upgrade")?.toLowerCase() === "websocket") {
    for (const name of OWN_TO_A_SOCKET) sent.delete(name);
    sent.set("upgrade", "websocket");
  }
  // Where nothing is said the platform asks for compressed answers, which the container's program may not understand.
  if (!sent.has("accept-encoding")) sent.set("accept-encoding", "identity");
  return sent;
}

function passed(headers: Headers): Headers {
  const goesOn = endToEnd([headers.get("connection") ?? ""]);
  return new Headers([...headers].filter(([name]) => goesOn(name)));
}

function unreachable(hostname: string): Response {
  const message = `${hostname} did not answer.`;
  const hint = "Try again soon; if it stays so, the host is down, or there is none of this name.";
  const { status, body } = errorAnswer({ code: "upstream_unreachable", message, hint }, newRequestId());
  return Response.json(body, { status });
}
