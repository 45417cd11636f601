/** The table of `docs/errors.md` that says what becomes of a run which meets a fault. */
import { readFileSync } from "node:fs";
import path from "node:path";

const PAGE = path.join(import.meta.dirname, "../../../docs/errors.md");
const HEAD = "| a run meets";

/** What the page says of one fault: an empty text where it says nothing. */
export interface FaultRow {
  status: string;
  result: string;
  code: string;
  phase: string;
  hint: string;
  /** Whether another attempt follows by itself. */
  again: string;
  /** The kind of notification. */
  told: string;
}

/** By what the run meets, in the page's order. */
export function faultRows(): Map<string, FaultRow> {
  const lines = readFileSync(PAGE, "utf8").split("\n");
  const from = lines.findIndex((line) => line.startsWith(HEAD)) + 2;
  const rows = lines.slice(from, lines.indexOf("", from)).map((line) =>
    line.split(" | ").map((cell) =>
      cell
        .replace(/^\| | *\|$/g, "")
        .replace(/^\[?`([^`]*)`.*$/, "$1")
        .trim(),
    ),
  );
  return new Map(
    rows.map(([what = "", status = "", result = "", code = "", phase = "", again = "", told = "", hint = ""]) => [
      what,
      { status, result, code, phase, again, told, hint },
    ]),
  );
}
