/** The template "Docs sync": what it is told, and what wakes it. */
import { type Template, weekly } from "./template.ts";

export const docsSync: Template = {
  slug: "docs-sync",
  title: "Docs sync",
  what: "Compares what was merged in the week with the documentation, and mends what is out of date.",
  repositories: ["prefix"],
  definition: {
    context_from: [{ routine: "self", last: 3 }],
    triggers: [weekly("monday", "09:00")],
    prompt: `Keep the documentation in step with the code.

Look at
- the commits of the default branch of the last eight days: git log --since="8 days ago" --stat;
- of each that changes what users meet (commands, options, settings, API, defaults, messages), the diff itself;
- the documentation in this repository: README, docs/, comments that documentation is generated from.
Earlier runs of this routine are told to you: don't do again what they have done, or what was rejected.

Do
1. List each change that users notice, with its commit.
2. For each, find every place in the documentation that speaks of it. Search for the old and the new name.
3. Mend what is wrong or missing, in the words and the style of the page around it. Try commands and examples that you write, where they can be tried here.
4. Run the checks that the repository has for its documentation (links, formatting).
5. Commit to one branch, one commit for each subject, with the commit that it follows in the message, and push it.

Change no code. Don't rewrite what is right. Where code and documentation disagree and you can't tell which is meant, leave both, and name the place in your report.

If nothing that users notice was changed, or all of it is documented, report nothing_to_do and say which commits you looked at.

Evidence: the branch, and in the summary one line for each change: commit, page, what you mended.`,
  },
};
