/** Git's words made readable. */
import { lastWords } from "../process/last-words.ts";

const SHOWN_LINES = 3;
const SHOWN_CHARACTERS = 600;

/** The last lines of git's error output for a person: the relay's address is shown as the repository's own. */
export function readableGitError(stderr: string, proxyAddress: string, url: string): string {
  const lines = stderr
    .replaceAll(`${proxyAddress}/`, `${url}/`)
    .replaceAll(proxyAddress, url)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("warning: "));
  return lastWords(lines.slice(-SHOWN_LINES).join(" "), SHOWN_CHARACTERS);
}
