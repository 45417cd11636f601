/** JSON from elsewhere. Pure. */
import { wellFormedJson } from "#protocol/well-formed.ts";

/** Its texts are well-formed Unicode. @returns undefined, which no schema accepts, when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(wellFormedJson(text));
  } catch {
    return undefined;
  }
}
