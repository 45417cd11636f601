/** Takes in a body that is too long to be held: it goes into R2 while it is checked, and is there only when it holds. */
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import type { IncomingBody } from "../store/stream-to-bucket.ts";
import { StreamedHmac } from "./sources/streamed-hmac.ts";

/**
 * @param length as the sender tells it. @param secrets any of which may have signed it.
 * @param into where the body goes; its last piece only when it was signed.
 * @returns whether it was signed; then, and only then, it is kept. @throws when it can't be kept.
 */
export async function streamIn(
  body: ReadableStream<Uint8Array>,
  { length, secrets, signature }: { length: number; secrets: readonly string[]; signature: Uint8Array },
  into: IncomingBody,
): Promise<Result<boolean>> {
  // An empty secret signs nothing.
  const hmacs = await Promise.all(
    secrets.filter((secret) => secret !== "").map((secret) => StreamedHmac.begin(secret)),
  );
  let last: Uint8Array = new Uint8Array();
  let come = 0;
  try {
    for await (const chunk of body) {
      come += chunk.length;
      if (come > length) return refuseLength(into, hmacs);
      await Promise.all([into.write(last), ...hmacs.map((hmac) => hmac.write(chunk))]);
      last = chunk;
    }
    if (come < length) return refuseLength(into, hmacs);
    const digests = await Promise.all(hmacs.map((hmac) => hmac.end()));
    const isSigned = digests.map((digest) => crypto.subtle.timingSafeEqual(digest, signature)).includes(true);
    if (!isSigned) await into.abort();
    else await into.end(last);
    return success(isSigned);
  } catch (error) {
    await leave(into, hmacs);
    throw error;
  }
}

async function refuseLength(
  into: IncomingBody,
  hmacs: readonly StreamedHmac[],
): Promise<{ ok: false; refusal: Refusal }> {
  await leave(into, hmacs);
  return refuse("invalid_request", { field: "Content-Length", message: "Content-Length: is not the body's" });
}

async function leave(into: IncomingBody, hmacs: readonly StreamedHmac[]): Promise<void> {
  await Promise.all([into.abort(), ...hmacs.map((hmac) => hmac.leave())]);
}
