/**
 * Where viewers stand: in memory while something goes on, and in the attachments of their sockets, which outlive
 * hibernation. They are written there a little later than they change, for a viewer moves with every message. An object
 * whose timer is on does not hibernate; where it ends otherwise its sockets end too, and viewers say where they stand.
 */
import type { Sendable, ViewerPosition } from "#rules/viewer-window.ts";
import type { Access } from "./access.ts";

export interface ViewerAttachment extends ViewerPosition {
  kind: "viewer";
  sessionId: string;
  /** By what the viewer was let in: the socket closes when that ends. */
  access: Access;
}

const SAVE_DELAY_MS = 200;

export class ViewerPlaces {
  /** Null for sockets of others. */
  readonly #known = new WeakMap<WebSocket, ViewerAttachment | null>();
  /** The ends of what is under way to a viewer, oldest first: mostly it is one of them that is acknowledged. */
  readonly #ends = new WeakMap<WebSocket, Sendable[]>();
  /** Holds the sockets too: while one is here its place is in memory alone. */
  readonly #unsaved = new Set<WebSocket>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @returns null for a socket that is no viewer's. */
  of(socket: WebSocket): ViewerAttachment | null {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const attachment: ViewerAttachment | { kind: "link" } | null = socket.deserializeAttachment();
    const viewer = attachment?.kind === "viewer" ? attachment : null;
    this.#known.set(socket, viewer);
    return viewer;
  }

  /** A viewer is taken in. It is written at once: who it is must not be lost. */
  begin(socket: WebSocket, attachment: ViewerAttachment): void {
    this.#known.set(socket, attachment);
    socket.serializeAttachment(attachment);
  }

  move(socket: WebSocket, attachment: ViewerAttachment): void {
    this.#known.set(socket, attachment);
    this.#unsaved.add(socket);
    this.#timer ??= setTimeout(() => this.#save(), SAVE_DELAY_MS);
  }

  /** A message has been sent. */
  sent(socket: WebSocket, { seq, endBytes }: Sendable): void {
    const ends = this.#ends.get(socket);
    if (ends === undefined) this.#ends.set(socket, [{ seq, endBytes }]);
    else ends.push({ seq, endBytes });
  }

  /**
   * A viewer has acknowledged the event `seq`.
   * @returns the bytes up to there where a message has ended with it, as it mostly has; else null.
   */
  acknowledged(socket: WebSocket, seq: number): number | null {
    const ends = this.#ends.get(socket) ?? [];
    let last: Sendable | null = null;
    while (ends[0] !== undefined && ends[0].seq <= seq) last = ends.shift() ?? null;
    return last?.seq === seq ? last.endBytes : null;
  }

  #save(): void {
    this.#timer = null;
    for (const socket of this.#unsaved) {
      const attachment = this.#known.get(socket);
      if (attachment && socket.readyState === WebSocket.OPEN) socket.serializeAttachment(attachment);
    }
    this.#unsaved.clear();
  }
}
