/** The template "Release notes": what it is told, and what wakes it. */
import type { Template } from "./template.ts";

export const releaseNotes: Template = {
  slug: "release-notes",
  title: "Release notes",
  what: "When a release is published, writes what has changed for its users, out of the commits.",
  repositories: ["prefix"],
  definition: {
    overlap: "queue",
    triggers: [
      {
        type: "github",
        event: "release",
        actions: ["published"],
        filters: [],
        allow_public: false,
        allow_self: false,
      },
    ],
    prompt: `A release was published. Write the notes that its users need. Its tag comes with the event.

Look at
- every commit between the tag before and this one: git log PREVIOUS..TAG, with diffs where a message does not say enough. If there is no tag before, take the last hundred commits;
- the changelog and earlier notes in the repository: their form, tone and headings are yours too.

Do
1. Sort the commits by what users notice: new, changed, fixed, removed, security. Leave out what they don't (refactoring, tests, CI), and say how many you left out.
2. Write each as one sentence from the user's side: what can now be done, or what no longer happens. No names of functions, unless they are the interface.
3. Put what breaks at the top, each with what to do: the old line and the new one.
4. Check each sentence against its diff. What you can't find in the diff does not go in.
5. Put the notes at the top of the changelog, if the repository has one; commit to a branch and push it.

Show notes.md with the notes, to be pasted into the release.

If the changelog has this version already with all of it, or nothing that users notice was changed, report nothing_to_do.

Evidence: notes.md, each line with its commit in brackets, and the branch.`,
  },
};
