/** Reads the commands at the start of a push, and gives back the whole of it to pass on. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import { joinBytes, type PushRequest, packetAt, parsePush } from "./pkt-line.ts";

/** Commands name refs; this is room for thousands of them. */
const COMMANDS_LIMIT_BYTES = 1_048_576;

export interface ReadPush {
  push: PushRequest;
  /** The request from its first byte, unread. */
  body: ReadableStream<Uint8Array>;
  /** For `waitUntil`; never rejects. */
  done: Promise<void>;
}

/** @param contentLength the request's own, when it has one, so that it has one upstream too. */
export async function readPush(
  source: ReadableStream<Uint8Array>,
  contentLength: number | null,
): Promise<Result<ReadPush>> {
  const reader = source.getReader();
  let bytes: Uint8Array = new Uint8Array();
  const packets: Uint8Array[] = [];
  let offset = 0;
  try {
    for (;;) {
      const packet = packetAt(bytes, offset);
      if (packet !== null) {
        if (packet.payload === null) break;
        packets.push(packet.payload);
        offset += packet.length;
        continue;
      }
      if (bytes.length > COMMANDS_LIMIT_BYTES) {
        return refuse("body_too_large", { limit_bytes: COMMANDS_LIMIT_BYTES, field: "body" });
      }
      const { done, value } = await reader.read();
      if (done) return notAPush();
      bytes = joinBytes(bytes, value);
    }
    const push = parsePush(packets);
    const { readable, writable } =
      contentLength === null ? new IdentityTransformStream() : new FixedLengthStream(contentLength);
    return success({ push, body: readable, done: passOn(bytes, reader, writable.getWriter()) });
  } catch (error) {
    if (error instanceof RangeError) return notAPush();
    throw error;
  }
}

function notAPush() {
  return refuse("invalid_request", { field: "body", message: "body: is not a git push" });
}

async function passOn(
  begin: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    await writer.write(begin);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      await writer.write(value);
    }
    await writer.close();
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    await writer.abort(error).catch(() => {});
  }
}
