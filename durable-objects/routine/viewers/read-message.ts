/** What a viewer has said. Pure. */
import { type ViewerMessage, viewerMessageSchema } from "#protocol/viewer.ts";
import { parseJson } from "#rules/json.ts";

/** An acknowledgement as the pages write it: it comes too often, from too many, to be checked like all else. */
const ACK = /^\{"type":"ack","seq":(\d{1,15})\}$/;

/** @returns null for what is no message of the interface. */
export function readMessage(text: string): ViewerMessage | null {
  const [, seq] = ACK.exec(text) ?? [];
  if (seq !== undefined) return { type: "ack", seq: Number(seq) };
  return viewerMessageSchema.safeParse(parseJson(text)).data ?? null;
}
