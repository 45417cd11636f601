/**
 * Addresses of objects as the sandbox has them: what the LFS server told, encrypted, so that nothing need be kept between two
 * requests and no credential of a store enters the sandbox. They are good for one repository of one run.
 */
import type { KeyRing, Place } from "#instance/key-ring.ts";
import { parseJson } from "#rules/json.ts";
import { type Transfer, transferSchema } from "./batch.ts";

/** Longer addresses are not let through by a run's relay. */
const LIMIT = 7_600;

/** @returns null where it would be too long. */
export async function sealTicket(
  ring: KeyRing,
  runId: string,
  number: number,
  transfer: Transfer,
): Promise<string | null> {
  const text = JSON.stringify(transfer);
  if (text.length > LIMIT) return null;
  const sealed = await ring.seal(placeOf(runId, number), text);
  const ticket = sealed.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return ticket.length > LIMIT ? null : ticket;
}

/** @returns null for what was not made for this repository of this run. */
export async function openTicket(
  ring: KeyRing,
  runId: string,
  number: number,
  ticket: string,
): Promise<Transfer | null> {
  const opened = await ring.open(placeOf(runId, number), ticket.replaceAll("-", "+").replaceAll("_", "/"));
  const read = opened.ok ? transferSchema.safeParse(parseJson(opened.text)) : null;
  return read?.success === true ? read.data : null;
}

function placeOf(runId: string, number: number): Place {
  return { kind: "lfs-object", id: `${runId}/${number}` };
}
