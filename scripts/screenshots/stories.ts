/** Pure: what the model says in the runs that the screenshots show. The agent, its tools and the repository are real. */
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import type { MessagesRequest } from "#scripts/demo-model/messages-request.ts";
import type { MessagePlan } from "#scripts/demo-model/reply-wire.ts";

export interface Story {
  name: string;
  prompt: string;
  /** What the model says, in order; after the last it is silent, and the run stays on. */
  replies: ReplyPlan[];
  /** Calls about which a person is asked. */
  asks?: string[];
}

export const READ_ME: Story = {
  name: "README check",
  prompt: `Check that README.md still tells the truth.

1. Run the tests.
2. Run every example, and compare what it prints with what the README says.
3. Add what is missing, on a new branch whose name begins with \`claude/\`.`,
  replies: [
    says("I begin with the tests, so that I know what to trust.", "Run the tests", "node --test | tail -8"),
    says(
      "All of them pass. Now the README and what the package exports.",
      "Read the README",
      "cat README.md src/index.js",
    ),
    {
      ...says(
        "Each example in turn:",
        "Run the examples",
        `node -e 'import("./src/index.js").then(({ parse, format }) => console.log(parse("1h30m"), format(5_400_000), parse("2d")))'`,
      ),
      thinking: "The README has three examples. The option of format that came last week is not among them.",
    },
    says("The examples hold. What has `format` learned since the last release?", "Look at format", "cat src/format.js"),
    says(
      "The option that stops at the largest unit is not in the README. I add it.",
      "Add the example",
      `sed -i 's|^parse("2d");.*|&\\nformat(5_400_000, { largest: true }); // "1h"|' README.md && git diff --stat`,
    ),
    says(
      "That goes on a branch of its own.",
      "Commit and push",
      `git checkout -q -b claude/readme-$(date +%H%M%S) && git commit -qam 'docs: show the largest unit in the README' && git push -q -u origin HEAD && git log --oneline -1`,
    ),
    report("done", "README.md shows the option largest of format; everything else in it was right."),
    {
      kind: "message",
      text: `README.md is right again. What I found:

| Example | README says | It prints |
| --- | --- | --- |
| \`parse("1h30m")\` | 5400000 | 5400000 |
| \`format(5_400_000)\` | "1h30m" | 1h30m |
| \`parse("2d")\` | 172800000 | 172800000 |

The option \`largest\` of \`format\` was missing; its branch is **ready for a review**.`,
    },
  ],
};

export const TRIAGE: Story = {
  name: "Issue triage",
  prompt: `Read the issue in the trigger's text, find where in the code it comes from, and say how to mend it.

Do not change anything.`,
  replies: [
    says(
      "The issue is about white space. I look where texts are taken apart.",
      "Find the parser",
      "ls src && cat src/parse.js",
    ),
    says("Is that covered by a test?", "Look for tests", 'grep -n "parse(" test/*.js'),
    {
      kind: "message",
      text: `The fault is in \`src/parse.js\`. It trims the text **once, at both ends**, and then expects number and unit side by side:

1. \`parse(" 1d ")\` works, since the ends are trimmed.
2. \`parse("1 d")\` does not: the space between number and unit fits no part of the pattern.

The smallest change is to allow white space there and to keep the pattern anchored, so that \`"1 d x"\` is still refused. I check that against the tests that are there before I propose anything.`,
    },
  ],
};

export const AUDIT: Story = {
  name: "Dependency audit",
  prompt: "List the dependencies that have a newer release, and open a branch for each that is safe to take.",
  replies: [
    says("First, what there is.", "List dependencies", "cat package.json"),
    {
      kind: "error",
      status: 400,
      type: "invalid_request_error",
      message: "Your credit balance is too low to access the Anthropic API.",
    },
  ],
};

export const CHANGELOG: Story = {
  name: "Changelog",
  prompt: "Add what has been merged since the last release to CHANGELOG.md, in the style of the file.",
  replies: [
    says("What came after the last release?", "List the commits", "git log --oneline -n 5"),
    report("nothing_to_do", "The changelog tells everything already."),
    { kind: "message", text: "The changelog tells everything already." },
  ],
};

export const RELEASE: Story = {
  name: "Release",
  prompt: "Prepare the next release: choose its number with us, then bring it on a branch.",
  replies: [
    says("What has changed since the last one decides the number.", "List the commits", "git log --oneline -n 5"),
    {
      kind: "message",
      text: "Nothing breaks, but there is a new option. I ask before I choose.",
      toolCalls: [
        {
          name: "mcp__reveille__ask",
          input: {
            question: "Is the option `largest` to be told as a new feature, which makes it 1.3.0?",
            choices: ["Yes, 1.3.0", "No, 1.2.4"],
            default: "Yes, 1.3.0",
          },
        },
      ],
    },
  ],
};

export const PUBLISH: Story = {
  name: "Publish notes",
  prompt: "Write the notes of the release, and push them to main.",
  asks: ["Bash(git push:*)"],
  replies: [says("The notes are written. Now they go to main.", "Push the notes", "git push origin HEAD:main")],
};

const STORIES = [READ_ME, TRIAGE, AUDIT, CHANGELOG, RELEASE, PUBLISH];

/** When the words are written that are still being written in the pictures: text is live for those who watch. */
export interface Gates {
  begin: Promise<void>;
  rest: Promise<void>;
}

export function replyTo(request: MessagesRequest, gates: Gates): ReplyPlan {
  // Side requests of the agent, a title for instance, come without tools.
  if ((request.tools ?? []).length === 0) return { kind: "message", text: "Title" };
  const asked = JSON.stringify(request.messages);
  const story = STORIES.find(({ prompt }) => asked.includes(JSON.stringify(prompt).slice(1, -1)));
  const step = request.messages.filter(({ role }) => role === "assistant").length;
  const reply = story?.replies[step] ?? { kind: "hang" as const, after: "nothing" as const };
  if (reply.kind !== "message" || story !== TRIAGE || step === 0) return reply;
  const isLast = step === story.replies.length - 1;
  return { ...reply, beforeDelta: (index) => (isLast && index >= HELD_AFTER ? gates.rest : gates.begin) };
}

/** Near the end of the words that are held. */
const HELD_AFTER = 16;

/** @param upstream the address of the demo repository. */
export function routineOf({ name, prompt, asks }: Story, upstream: string) {
  const repositories = [{ url: upstream }];
  return {
    name,
    prompt,
    repositories,
    overlap: "skip",
    limits: { timeout: "30m", turns: 60 },
    ...(asks === undefined ? {} : { tools: { ask: asks } }),
    triggers: [{ type: "api" }],
  };
}

function says(text: string, description: string, command: string): { kind: "message" } & MessagePlan {
  const usage = { input_tokens: 1_850, cache_read_input_tokens: 14_200, output_tokens: 210 };
  return { kind: "message", text, usage, toolCalls: [{ name: "Bash", input: { command, description } }] };
}

function report(result: "done" | "nothing_to_do", summary: string): ReplyPlan {
  return { kind: "message", toolCalls: [{ name: "mcp__reveille__report_result", input: { result, summary } }] };
}
