/** Sockets of an object on which something has to come in time. What each carries says until when, so it outlives an eviction. */

export class SocketDeadlines {
  readonly #find: () => Iterable<readonly [WebSocket, number]>;
  /** Until when each has time; null until they have been looked for. */
  #known: Map<WebSocket, number> | null = null;

  /** @param find the object's sockets on which something is waited for, each with the moment at which its time is over. */
  constructor(find: () => Iterable<readonly [WebSocket, number]>) {
    this.#find = find;
  }

  set(socket: WebSocket, untilMs: number): void {
    this.#all().set(socket, untilMs);
  }

  /** It has come, or the socket has closed. */
  clear(socket: WebSocket): void {
    this.#all().delete(socket);
  }

  /** When the time of the next one is over; null when nothing is waited for. Unix milliseconds. */
  next(): number | null {
    const moments = [...this.#all().values()];
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /** @returns those whose time is over. They are not waited for any more. */
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
