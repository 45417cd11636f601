/** What commands say to the person at the terminal: the one place that writes there. */
import { escapeUnseen } from "#protocol/unseen-characters.ts";

/** Whatever a text holds, of an agent, a tool, a server or a file: its lines are lines, and nothing else in it steers the terminal. */
export function printable(text: string): string {
  return text.split(/\r?\n/).map(printableLine).join("\n");
}

/** The same for a text that is shown on one line. */
export function printableLine(text: string): string {
  return escapeUnseen(text.replaceAll("\t", "  "));
}

/** Writes lines to standard output. */
export function say(text: string): void {
  console.log(printable(text));
}

/** Writes lines to standard error. */
export function complain(text: string): void {
  console.error(printable(text));
}
