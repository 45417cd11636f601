/**
 * Sockets of an object on which a message has to come in time. The deadline is in the socket's attachment, so it outlives an
 * eviction.
 */

export class SocketDeadlines {
  readonly #find: () => Iterable<readonly [WebSocket, number]>;
  /** The deadline of each socket; null until the sockets have been looked for. */
  #known: Map<WebSocket, number> | null = null;

  /** @param find the object's sockets on which a message is awaited, each with its deadline in Unix milliseconds. */
  constructor(find: () => Iterable<readonly [WebSocket, number]>) {
    this.#find = find;
  }

  set(socket: WebSocket, untilMs: number): void {
    this.#all().set(socket, untilMs);
  }

  /** The message has come, or the socket has closed. */
  clear(socket: WebSocket): void {
    this.#all().delete(socket);
  }

  /** The earliest deadline, in Unix milliseconds; null when no message is awaited. */
  next(): number | null {
    const moments = [...this.#all().values()];
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /** @returns the sockets whose deadline has passed. Nothing is awaited on them any more. */
  takeLate(nowMs: number): WebSocket[] {
    const late = [...this.#all()].flatMap(([socket, untilMs]) => (untilMs <= nowMs ? [socket] : []));
    for (const socket of late) this.clear(socket);
    return late;
  }

  #all(): Map<WebSocket, number> {
    this.#known ??= new Map(this.#find());
    return this.#known;
  }
}
