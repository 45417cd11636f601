/** What signs mean in a shell's text. Pure. */
import { UNKNOWN } from "./command-list.ts";

export const REDIRECTION = /<<<|<<-|<<|<>|<&|>>|>&|>\||<|>/y;
/** What is taken as it is, outside of quotes and inside of double ones. */
export const PLAIN = /[^\s\\'"`$;&|<>()*?[{#]+/y;
export const PLAIN_QUOTED = /[^\\"`$]+/y;
export const PLAIN_DOCUMENT = /[^\\`$]+/y;
export const NAME = /[A-Za-z_]\w*/y;
/** Variables that hold one path, unless the text itself names them otherwise. */
const PATHS = ["HOME", "PWD", "OLDPWD", "TMPDIR"];
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", "\\": "\\", "'": "'", '"': '"' };

/** @returns the variables that hold one path wherever the text has them: it does nothing else with their names. */
export function pathVariables(text: string): string[] {
  return PATHS.filter((name) => !new RegExp(`(?<!\\$|\\$\\{)\\b${name}\\b`).test(text));
}

/** What is between the quotes of `$'…'`; unknown as a whole where it has more than the simplest escapes. */
export function decodeEscapes(quoted: string): string {
  const text = quoted.replace(/\\([\s\S])/g, (_all, escaped: string) => SIMPLE_ESCAPES[escaped] ?? UNKNOWN);
  return text.includes(UNKNOWN) ? UNKNOWN : text;
}
