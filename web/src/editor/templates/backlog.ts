/** The template "Backlog": what it is told, and what wakes it. */
import { type Template, weekly } from "./template.ts";

export const backlog: Template = {
  slug: "backlog",
  title: "Backlog",
  what: "Gathers what the code itself says is left to do, ranks it, and does the smallest piece.",
  repositories: ["prefix"],
  definition: {
    context_from: [{ routine: "self", last: 5 }],
    triggers: [weekly("thursday", "08:00")],
    prompt: `Work on what this repository itself says is left to do.

Look at
- comments that put something off, under whatever marks this repository has for that, with git blame: who wrote them when, and whether what they wait for has happened;
- tests that are skipped or marked as expected to fail, and why;
- code that nobody calls, settings that nothing reads, warnings of the build;
- what earlier runs of this routine have done, and what was rejected. Don't do that again.

Do
1. Make a list. For each: file and line, what it would give, how much work it is, what could break.
2. Rank it: much given for little work and little risk first.
3. Take the first that you can finish and prove within this run. One alone. Do it with a test that fails without it.
4. Run the whole test suite.
5. Commit to one branch and push it. Take the comment or the skip out that told of it.

Show backlog.md: the ranked list with the twenty best, and a section of what has lapsed and can simply be deleted.

Don't touch what is being worked on: files with commits of the last three days. Change no public interface. If nothing can be finished safely, push nothing, show the list, and report done with that. If the list is the same as last time and nothing on it can be done, report nothing_to_do.

Evidence: the branch, the test that failed before and passes now, backlog.md.`,
  },
};
