/** The template "Weekly report": what it is told, and what wakes it. */
import { type Template, weekly } from "./template.ts";

export const weeklyReport: Template = {
  slug: "weekly-report",
  title: "Weekly report",
  what: "On Friday sums up what was done in the repository, for people who were not there.",
  repositories: ["none"],
  definition: {
    context_from: [{ routine: "self", last: 2 }],
    triggers: [weekly("friday", "15:00")],
    prompt: `Sum up the week in this repository for people who were not there: colleagues of other teams, and somebody who is back from holiday.

Look at
- the commits of the default branch of the last seven days: git log --since="7 days ago" --stat, and the diffs of those that matter;
- branches with commits of this week that are not merged;
- last week's report, which is told to you: what was announced there, and what became of it.

Write report.md, a page at most, and show it:
1. Three sentences: what is different for users now.
2. What was done: five to eight points, by subject and not by commit. Each says what and why, with its commits.
3. What is under way: branches, and how far they are.
4. What to keep an eye on: things reverted, tests skipped, files that were changed again and again, work that was announced and did not come.
5. In numbers, one line: commits, people, lines, tests added.

Plain words, no praise and no blame, nobody ranked. What is not in the history is not in the report: name no reasons that you only suppose.

If there was no commit in the week, report nothing_to_do.

Evidence: report.md; each point names its commits. Change nothing and push nothing.`,
  },
};
