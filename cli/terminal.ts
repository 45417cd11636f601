/** What commands say: the one place that writes to the terminal. */
import { escapeUnseen } from "#protocol/unseen-characters.ts";

export interface Terminal {
  /** Lines of what was asked for, to standard output. */
  out(text: string): void;
  /** Lines for the person who waits, to standard error. */
  say(text: string): void;
}

// Who reads what is said may be gone before the program is. Runs are worth more than the log of their runner.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

/** Whatever a text holds of a server, a file or a person: nothing in it steers the terminal. */
export const terminal: Terminal = {
  out: (text) => void process.stdout.write(`${printable(text)}\n`),
  say: (text) => void process.stderr.write(`${printable(text)}\n`),
};

function printable(text: string): string {
  return text.split("\n").map(escapeUnseen).join("\n");
}
