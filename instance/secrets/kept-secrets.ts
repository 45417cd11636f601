/** Secrets whose values the instance itself keeps: encrypted by the key ring, each bound to its name. */
import { logTrouble } from "#protocol/log.ts";
import type { KeyRing, Place } from "../key-ring.ts";
import { type SecretSourceReader, type SourceAnswer, sourceFault } from "./secret-source.ts";

/** Where the key ring keeps the value of a secret. */
export function placeOfSecret(name: string): Place {
  return { kind: "secret", id: name };
}

export class KeptSecrets implements SecretSourceReader<{ name: string; sealed: string }> {
  readonly #ring: Pick<KeyRing, "open">;

  constructor(ring: Pick<KeyRing, "open">) {
    this.#ring = ring;
  }

  async read({ name, sealed }: { name: string; sealed: string }): Promise<SourceAnswer> {
    const opened = await this.#ring.open(placeOfSecret(name), sealed);
    if (opened.ok) return { ok: true, value: opened.text };
    logTrouble("secret_unreadable", { kind: "secret", id: name }, opened.fault);
    return sourceFault("unreadable", `It can't be decrypted (${opened.fault}).`);
  }
}
