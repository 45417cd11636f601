/** A WebSocket to the instance that comes back by itself: pings, notices silence, and tells a refusal from a failure. */
import { RUNNER_CLOSE, RUNNER_PING_MS } from "#protocol/runner-link.ts";
import { within } from "../process/within.ts";

/** What the instance does not accept: the token, the version of the messages, or what was said. */
export interface LinkRefusal {
  cause: "token" | "version" | "words";
  why: string;
}

export interface LinkSocketOptions {
  /** `http(s)://…`; the socket dials the same address as `ws(s)://…`. */
  url: string;
  token: string;
  backoff: { firstMs: number; lastMs: number };
  onOpen(): void;
  onMessage(text: string): void;
  /**
   * The connection ended, or could not be made. The next one is dialled by itself.
   * @param status of the HTTP answer that was no WebSocket, where there was one.
   */
  onDown(why: string, status?: number): void;
  /** The instance does not accept this side. @returns whether to go on dialling. */
  onRefused(refusal: LinkRefusal): boolean;
}

const CONNECT_DEADLINE_MS = 10_000;
/** Less than two pings apart: a dead connection is noticed at the second ping, well within the instance's grace. */
const SILENCE_MS = 2 * RUNNER_PING_MS - 1_000;
const CLOSE_DEADLINE_MS = 500;
const PROBE_DEADLINE_MS = 5_000;

const REFUSALS: ReadonlyMap<number, LinkRefusal["cause"]> = new Map([
  [RUNNER_CLOSE.refused, "token"],
  [RUNNER_CLOSE.protocol, "version"],
  [RUNNER_CLOSE.badMessage, "words"],
]);

export class LinkSocket {
  readonly #options: LinkSocketOptions;
  #socket: WebSocket | null = null;
  #delayMs: number;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** By `performance.now()`: the machine's clock may be set, and a dead connection would be kept for as long. */
  #heardAt = 0;

  constructor(options: LinkSocketOptions) {
    this.#options = options;
    this.#delayMs = options.backoff.firstMs;
    this.#dial();
  }

  get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Bytes that were handed over and have not left yet. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** @returns false when there is no open connection: the message is dropped. */
  send(text: string): boolean {
    if (!this.open) return false;
    this.#socket?.send(text);
    return true;
  }

  /** Ends the connection for good. Settles when what was sent has left, or shortly after. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const socket = this.#leave();
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((done) => socket.addEventListener("close", () => done()));
    socket.close(1000);
    await within(CLOSE_DEADLINE_MS, closed, undefined);
  }

  #dial(): void {
    const socket = new WebSocket(this.#options.url.replace(/^http/, "ws"), {
      headers: { authorization: `Bearer ${this.#options.token}` },
    });
    this.#socket = socket;
    let opened = false;
    const deadline = setTimeout(() => this.#down(socket, "it did not answer in time"), CONNECT_DEADLINE_MS);
    socket.addEventListener("open", () => {
      clearTimeout(deadline);
      if (this.#socket !== socket) return socket.close();
      opened = true;
      this.#heardAt = performance.now();
      this.#watch = setInterval(() => this.#ping(socket), RUNNER_PING_MS);
      this.#options.onOpen();
    });
    socket.addEventListener("message", (event) => {
      if (this.#socket !== socket) return;
      this.#heardAt = performance.now();
      // Only a connection that carries something starts the backoff anew.
      this.#delayMs = this.#options.backoff.firstMs;
      if (typeof event.data === "string" && event.data !== "pong") this.#options.onMessage(event.data);
    });
    // An error is followed by a close, which says all that there is to know.
    socket.addEventListener("error", () => {});
    socket.addEventListener("close", (event) => {
      clearTimeout(deadline);
      if (this.#socket !== socket) return;
      if (opened) this.#ended(socket, event.code, event.reason);
      else void this.#probe(socket);
    });
  }

  #ping(socket: WebSocket): void {
    if (performance.now() - this.#heardAt > SILENCE_MS) this.#down(socket, "it fell silent");
    else this.send("ping");
  }

  #ended(socket: WebSocket, code: number, reason: string): void {
    const cause = REFUSALS.get(code);
    const why = `close code ${code} ${reason}`.trim();
    if (cause !== undefined && !this.#options.onRefused({ cause, why })) {
      void this.close();
      return;
    }
    if (code === RUNNER_CLOSE.replaced || code === RUNNER_CLOSE.taken) this.#delayMs = this.#options.backoff.lastMs;
    this.#down(socket, why);
  }

  /** A WebSocket does not tell why its upgrade was refused; the same request without the upgrade does. */
  async #probe(socket: WebSocket): Promise<void> {
    const status = await fetch(this.#options.url, {
      headers: { authorization: `Bearer ${this.#options.token}` },
      redirect: "manual",
      signal: AbortSignal.timeout(PROBE_DEADLINE_MS),
    }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => null,
    );
    if (this.#socket !== socket) return;
    const refused = status === 401 || status === 403;
    if (refused && !this.#options.onRefused({ cause: "token", why: `HTTP status ${status}` })) {
      void this.close();
      return;
    }
    if (status === null) this.#down(socket, "it can't be reached");
    else this.#down(socket, `no WebSocket, HTTP status ${status}`, status);
  }

  #down(socket: WebSocket, why: string, status?: number): void {
    if (this.#socket !== socket) return;
    this.#leave()?.close();
    this.#options.onDown(why, status);
    if (this.#closed) return;
    this.#retry = setTimeout(() => this.#dial(), this.#delayMs);
    this.#delayMs = Math.min(this.#delayMs * 2, this.#options.backoff.lastMs);
  }

  /** Lets go of the present socket: what it still says is not heard. */
  #leave(): WebSocket | null {
    const socket = this.#socket;
    clearInterval(this.#watch);
    this.#socket = null;
    return socket;
  }
}
