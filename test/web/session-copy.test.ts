/** A whole transcript as Markdown. */
import { expect, it } from "vitest";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { sessionMarkdown } from "#web/src/session/menu/session-markdown.ts";
import { called, eventsOf, finished, gave, queued, running, said, starting } from "./session-events.ts";

const ADDRESS = "https://reveille.example/sessions/session_1";

function readFrom(events: readonly TranscriptEvent[], mostAtOnce: number) {
  return async (after: number, limit: number) => ({
    data: events.slice(after, after + Math.min(limit, mostAtOnce)),
    next_cursor: null,
  });
}

it("has every item in order, with what would act on a terminal made visible", async () => {
  const bodies = [queued, starting, running, said("m1", "I look\x1b[2J."), called("t1"), gave("t1"), finished];
  const events = eventsOf(bodies);
  const wanted = { title: "A title\u202e", address: ADDRESS, lastSeq: events.length };
  expect(await sessionMarkdown(wanted, readFrom(events, 2))).toBe(`# A title‹U+202E›

<${ADDRESS}>

I look‹ESC›[2J.

**Bash**

\`\`\`sh
echo t1
\`\`\`

\`\`\`
result of t1
\`\`\`

**Succeeded**

All done.
`);
});

it("is as long as is of use, and says what it leaves out", async () => {
  const events = eventsOf(Array.from({ length: 3_000 }, (_, index) => said(`m${index}`, `number ${index}`)));
  const wanted = { title: "Long", address: ADDRESS, lastSeq: events.length };
  const all = await sessionMarkdown(wanted, readFrom(events, 1_000));
  expect(all).toContain("number 2999");
  expect(all).not.toContain("left out");
  const some = await sessionMarkdown(wanted, readFrom(events, 1_000), 10_000);
  expect(some).toContain("number 0\n");
  expect(some).not.toContain("number 2999");
  expect(some.length).toBeLessThan(15_000);
  expect(some).toMatch(/The rest is left out: an export of the session has all of it\._\n$/);
});
