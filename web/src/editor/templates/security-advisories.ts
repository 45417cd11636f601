/** The template "Security advisories": what it is told, and what wakes it. */
import { onWeekdays, type Template } from "./template.ts";

export const securityAdvisories: Template = {
  slug: "security-advisories",
  title: "Security advisories",
  what: "Each morning checks dependencies against known advisories, says which of them reach this code, and updates those.",
  repositories: ["prefix"],
  definition: {
    overlap: "skip",
    context_from: [{ routine: "self", last: 3 }],
    triggers: [onWeekdays("07:00")],
    prompt: `Find security advisories that concern this repository, and close those that can be closed by an update.

Look at
- what the package manager's audit says, for each language that is here (npm audit --json, pip-audit, cargo audit, govulncheck, and the like), for what is shipped, and apart from that for what is used in development;
- the notes of this routine (read_notes): what was judged before, and until when.

Do, for each advisory that is new
1. Say whether it reaches this code: is the function that is at fault called, with input that others control? Name the call, or say how you have looked for it. "A dependency has it" is not enough, in neither direction.
2. Severity as it is here, not as the advisory has it.
3. If a version without the fault is there: update to the nearest one, build, run the tests. Commit each advisory by itself, with its id. Push one branch.
4. If there is none: say how it can be kept from being reached, and do it only where that is a few lines with a test.
5. Write a note: id, package, verdict, reason, date. What does not reach this code is not told again before its advisory changes.

Switch off no check and ignore no advisory by a setting. Write no exploit beyond what a test needs.

If no advisory is new, report nothing_to_do with the number that were looked at. If one is open that reaches shipped code and can't be closed here, report blocked, so that somebody is told.

Evidence: the branch, audit before and after, and a table: id, package, reaches this code or not and why, done.`,
  },
};
