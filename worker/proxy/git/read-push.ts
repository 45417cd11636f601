/** Reads the commands at the start of a push. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { HeldBody } from "./held-body.ts";
import { packetAt } from "./pkt-line.ts";
import { type PushRequest, parsePush } from "./push-request.ts";

/** Commands name refs; this is room for thousands of them. */
const COMMANDS_LIMIT_BYTES = 1_048_576;

export interface ReadPush extends PushRequest {
  /** What a push says to the upstream beside its commands. */
  options: string[];
  /** Where in the body the pack begins. */
  packAt: number;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });

/** Nothing of the body is used up. When this refuses, nobody reads on. */
export async function readPush(held: HeldBody): Promise<Result<ReadPush>> {
  const read = await readStart(held).catch((error: unknown) => {
    if (error instanceof RangeError) return notAPush();
    throw error;
  });
  if (!read.ok) await held.cancel();
  return read;
}

async function readStart(held: HeldBody): Promise<Result<ReadPush>> {
  const commands = await readPackets(held, 0);
  if (!commands.ok) return commands;
  const push = parsePush(commands.value.packets);
  let packAt = commands.value.end;
  const options: string[] = [];
  if (push.features.has("push-options") && !push.isSigned) {
    const listed = await readPackets(held, packAt);
    if (!listed.ok) return listed;
    options.push(...listed.value.packets.map((packet) => decoder.decode(packet).replace(/\n$/, "")));
    packAt = listed.value.end;
  }
  return success({ ...push, options, packAt });
}

/** The packets from an offset up to the next flush packet. @returns with them the offset behind that. */
async function readPackets(held: HeldBody, start: number): Promise<Result<{ packets: Uint8Array[]; end: number }>> {
  const packets: Uint8Array[] = [];
  let offset = start;
  for (;;) {
    const packet = packetAt(held.bytes(), offset);
    if (packet !== null) {
      offset += packet.length;
      if (packet.payload === null) return success({ packets, end: offset });
      packets.push(packet.payload);
    }
    if (offset > COMMANDS_LIMIT_BYTES) {
      return refuse("body_too_large", { limit_bytes: COMMANDS_LIMIT_BYTES, field: "body" });
    }
    if (packet === null && !(await held.more())) return notAPush();
  }
}

function notAPush() {
  return refuse("invalid_request", { field: "body", message: "body: is not a git push" });
}
