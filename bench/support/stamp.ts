/** The time at which an event was handed over, inside its text, where a viewer finds it without parsing. */
import { nowMs } from "./clock.ts";

export const STAMP_START = "<sent at ";
export const STAMP_END = ">";

export function stamp(): string {
  return `${STAMP_START}${nowMs().toFixed(3)}${STAMP_END}`;
}
