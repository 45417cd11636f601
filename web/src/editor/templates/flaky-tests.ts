/** The template "Flaky tests": what it is told, and what wakes it. */
import { onWeekdays, type Template } from "./template.ts";

export const flakyTests: Template = {
  slug: "flaky-tests",
  title: "Flaky tests",
  what: "Runs the tests many times at night, finds those that fail now and then, and mends one.",
  repositories: ["prefix"],
  definition: {
    overlap: "skip",
    context_from: [{ routine: "self", last: 5 }],
    limits: { timeout: "3h", turns: 300, hold: "5m", answer: "24h", failures: 5 },
    triggers: [onWeekdays("02:00")],
    prompt: `Find tests that fail now and then, and mend one for good.

Look at
- the notes of this routine (read_notes): which tests were flaky before, how often, what was tried;
- how the tests are run in CI: the same commands, the same order, the same parallelism.

Do
1. Run the suite five times, each run's output in a file of its own. Stop early where one takes longer than 20 minutes; then run its slowest half.
2. A test that failed in some runs and passed in others is flaky. One that always fails is broken: name it, and leave it.
3. Take the one that fails most. Run it alone a hundred times, then with its neighbours, in another order, under load, with another time zone and another date. Find the condition under which it always fails.
4. Name the cause: waiting for a time instead of a state, a shared file, port or database, an order that nobody promised, a clock, a random value, a real race in the code under test.
5. Mend the cause. A race in the code is mended in the code. Never a longer sleep, a retry or a skip.
6. Show that it holds: the condition of step 3, two hundred times without a failure.
7. Commit, push a branch, and write a note on every flaky test that you have seen, with its counts.

If no test is flaky in five runs, report nothing_to_do with the number of runs and tests.

Evidence: counts before and after, the command that makes it fail without the fix, the branch.`,
  },
};
