/** Refusals in git's own protocol, so that git shows their reasons. Pure. */
import { FLUSH, joined, PAYLOAD_LIMIT, packet } from "./pkt-line.ts";
import type { PushCommand } from "./push-request.ts";

const encoder = new TextEncoder();
const MORE = "not pushed, because another ref of the same push is refused";
const SHOWN_REFS = 10;
const SHOWN_NAME = 200;

/**
 * A refusal before anything of a request is known: an error packet to whoever fetches; to whoever pushes the side band of
 * errors, which git shows also where it has not asked for side bands.
 * @returns null for a path to which git does not POST.
 */
export function refusalPackets(service: string, words: string): Uint8Array<ArrayBuffer> | null {
  const line = encoder.encode(words).slice(0, PAYLOAD_LIMIT - 10);
  if (service === "git-upload-pack") return packet(joined([encoder.encode("ERR "), line]));
  if (service === "git-receive-pack") return joined([packet(joined([new Uint8Array([3]), line])), FLUSH]);
  return null;
}

/** A push as git's report of it: each ref with its reason. @param reasons one for each command; null for what is refused only because of others. */
export function refusalReport(
  commands: readonly PushCommand[],
  reasons: readonly (string | null)[],
  features: ReadonlySet<string>,
): Uint8Array {
  const lines = commands.map(({ bytes }, place) =>
    packet(joined([encoder.encode("ng "), bytes, encoder.encode(` ${reasons[place] ?? MORE}\n`)])),
  );
  const report = joined([packet("unpack ok\n"), ...lines, FLUSH]);
  if (!features.has("side-band-64k")) return report;
  const bands: Uint8Array[] = [];
  for (let offset = 0; offset < report.length; offset += PAYLOAD_LIMIT - 1) {
    bands.push(packet(joined([new Uint8Array([1]), report.subarray(offset, offset + PAYLOAD_LIMIT - 1)])));
  }
  return joined([...bands, FLUSH]);
}

/** The same for the transcript: one line for a person. */
export function refusalNotice(
  repository: string,
  commands: readonly PushCommand[],
  reasons: readonly (string | null)[],
): string {
  const refused = commands.flatMap(({ ref }, place) => {
    const reason = reasons[place] ?? null;
    return reason === null ? [] : [`${ref.slice(0, SHOWN_NAME)}: ${reason}`];
  });
  const shown = refused.slice(0, SHOWN_REFS).join("; ");
  const more = refused.length > SHOWN_REFS ? `; and ${refused.length - SHOWN_REFS} more` : "";
  const others = commands.length - refused.length;
  const rest = others > 0 ? `. ${others} other ${others === 1 ? "ref was" : "refs were"} not pushed either` : "";
  return `A push to ${repository} was refused. ${shown}${more}${rest}.`.toWellFormed();
}
