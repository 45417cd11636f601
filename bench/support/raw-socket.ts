/**
 * A WebSocket at the least cost: frames are cut from the bytes as they come, and payloads are handed on as they are. A
 * full client spends more on a message than the worker that sends it, and would be what is measured.
 */
import { connect, type Socket } from "node:net";

const UPGRADE_END = "\r\n\r\n";
const OPCODE = { text: 1, close: 8 } as const;
/** More than this waiting to leave: the sender had better wait. */
const HIGH_WATER_BYTES = 1_048_576;

export interface RawSocketOptions {
  /** `http://127.0.0.1:…`, with path and query. */
  url: string;
  headers: Record<string, string>;
  /** Each whole message. The bytes are valid during the call only. */
  onMessage(payload: Buffer, socket: RawSocket): void;
  onClose(why: string): void;
}

export class RawSocket {
  readonly #options: RawSocketOptions;
  readonly #socket: Socket;
  /** What came of a frame that is not whole yet. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** How many bytes the frame that is coming has, with its head; 0 while not even that is known. */
  #wantedBytes = 0;

  private constructor(options: RawSocketOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (error) => options.onClose(error.message));
    socket.on("close", () => options.onClose("the connection has ended"));
  }

  /** @throws Error when the other side does not switch to WebSocket. */
  static open(options: RawSocketOptions): Promise<RawSocket> {
    const { hostname, port, host, pathname, search } = new URL(options.url);
    const given = Object.entries(options.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n";
    const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n${upgrade}${key}${given.join("")}\r\n`);
    return new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      const onData = (chunk: Buffer) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf(UPGRADE_END);
        if (end === -1) return;
        socket.off("data", onData).off("error", reject);
        const status = head.toString("latin1", 0, head.indexOf("\r\n"));
        if (!status.startsWith("HTTP/1.1 101")) {
          socket.destroy();
          reject(new Error(`no WebSocket: ${status} ${head.toString("utf8", end)}`));
          return;
        }
        const opened = new RawSocket(options, socket);
        resolve(opened);
        opened.#take(head.subarray(end + UPGRADE_END.length));
      };
      socket.on("data", onData).on("error", reject);
    });
  }

  /** Sends a text. @returns false when what waits to leave has become much: go on after `drained`. */
  send(text: string | Buffer): boolean {
    const payload = typeof text === "string" ? Buffer.from(text) : text;
    this.#socket.cork();
    this.#socket.write(frameHead(OPCODE.text, payload.length));
    this.#socket.write(payload);
    process.nextTick(() => this.#socket.uncork());
    return this.#socket.writableLength < HIGH_WATER_BYTES;
  }

  drained(): Promise<void> {
    return new Promise((resolve) => this.#socket.once("drain", resolve));
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#partBytes += chunk.length;
    if (this.#partBytes < Math.max(2, this.#wantedBytes)) return;
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    let at = 0;
    this.#wantedBytes = 0;
    for (;;) {
      const head = readHead(bytes, at);
      if (head === null) break;
      const end = at + head.headBytes + head.payloadBytes;
      if (end > bytes.length) {
        this.#wantedBytes = end - at;
        break;
      }
      const payload = bytes.subarray(at + head.headBytes, end);
      if (head.opcode === OPCODE.text) this.#options.onMessage(payload, this);
      else if (head.opcode === OPCODE.close) this.#options.onClose(closeText(payload));
      at = end;
    }
    this.#parts = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#partBytes = bytes.length - at;
  }
}

/** A client's frame is masked; a mask of zeros leaves the payload as it is. */
function frameHead(opcode: number, length: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x80 | opcode;
  if (length < 126) {
    head[1] = 0x80 | length;
    return head.subarray(0, 6);
  }
  if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
    return head.subarray(0, 8);
  }
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** @returns null while the head is not whole. */
function readHead(bytes: Buffer, at: number) {
  if (bytes.length - at < 2) return null;
  const opcode = bytes.readUInt8(at) & 0x0f;
  const length = bytes.readUInt8(at + 1) & 0x7f;
  if (length < 126) return { opcode, headBytes: 2, payloadBytes: length };
  if (length === 126) {
    return bytes.length - at < 4 ? null : { opcode, headBytes: 4, payloadBytes: bytes.readUInt16BE(at + 2) };
  }
  return bytes.length - at < 10 ? null : { opcode, headBytes: 10, payloadBytes: Number(bytes.readBigUInt64BE(at + 2)) };
}

function closeText(payload: Buffer): string {
  return payload.length < 2 ? "closed" : `closed with ${payload.readUInt16BE(0)} ${payload.toString("utf8", 2)}`;
}
