/** The port to whatever keeps the values of secrets: each kind of place has a file here, and `test/contracts/secret-source.ts` is the suite of all. */

/**
 * Why there is no value. `missing`: the place does not have it. `refused`: it does not let this instance read it. `unreachable`:
 * it gives no answer of use, which may pass. `unreadable`: it is not, or no longer, a text that a variable could be.
 */
export type SourceFault = "missing" | "refused" | "unreachable" | "unreadable";

export type SourceAnswer =
  | { ok: true; value: string }
  /** `detail` is a sentence for people that holds nothing of a value or a credential. */
  | { ok: false; fault: SourceFault; detail: string };

export interface SecretSourceReader<Place> {
  /** Reads the value as it is now. Answers within its deadline, and never throws. */
  read(place: Place): Promise<SourceAnswer>;
}

export function sourceFault(fault: SourceFault, detail: string): { ok: false; fault: SourceFault; detail: string } {
  return { ok: false, fault, detail };
}
