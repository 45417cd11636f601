/** The template "Dependency updates": what it is told, and what wakes it. */
import { type Template, weekly } from "./template.ts";

export const dependencyUpdates: Template = {
  slug: "dependency-updates",
  title: "Dependency updates",
  what: "Brings dependencies up to date each week, with the tests run and the breaking changes read.",
  repositories: ["prefix"],
  definition: {
    overlap: "skip",
    context_from: [{ routine: "self", last: 3 }],
    limits: { timeout: "2h", turns: 300, hold: "5m", answer: "24h", failures: 5 },
    triggers: [weekly("monday", "06:00")],
    prompt: `Bring this repository's dependencies up to date.

Look at
- each manifest and lock file, of every language that is here, and the actions of the CI workflows;
- what is out of date, by the package manager's own command;
- what earlier runs have tried, and why it did not work: try again only where a newer version has come.

Do
1. First run build and tests as they are. If they fail, report blocked with the output: an update could not be judged.
2. Patch and minor versions: update them together, build, test. If that fails, find the one at fault by halving, leave it out, and go on.
3. Major versions: one at a time, three at most. Read the changelog or the migration guide of each version in between. Change the code that needs it. Build and test after each. What needs more than an hour or a decision is described, and not done.
4. Keep to versions that are at least three days old, unless they close a security advisory.
5. Commit by kind: one commit for the patch and minor versions, one for each major. Push one branch.

Change lock files with the package manager alone, never by hand. Don't loosen a range, switch off a check or delete a test to get through.

If everything is up to date, report nothing_to_do.

Evidence: the branch, test output before and after, and in the summary a table: package, from, to, what in its changelog concerns this code.`,
  },
};
