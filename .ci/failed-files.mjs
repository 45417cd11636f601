/** Prints the files that failed, a line each, from vitest's report: `node failed-files.mjs REPORT`. Nothing when there is no report. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";

try {
  const { testResults } = JSON.parse(readFileSync(process.argv[2], "utf8"));
  const failed = testResults.filter(({ status }) => status === "failed").map(({ name }) => relative("", name));
  if (failed.length > 0) console.log(failed.join("\n"));
} catch {
  // A suite that ended before it wrote its report is not tried again.
}
