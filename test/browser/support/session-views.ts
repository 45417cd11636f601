/** A session's page in the states that differ in what they are made of. */
import type { TestContext } from "node:test";
import type { Page } from "playwright-core";
import { routineSchema } from "#protocol/routine.ts";
import { ask, atEnd, cancelRuns, createRoutine, type GatedBed, runNow, untilEnded } from "./bed.ts";
import { playRun, RUNNING, said } from "./played-run.ts";
import { openSession, transcript, untilConnection, untilRunStatus } from "./transcript.ts";

export interface View {
  name: string;
  isSignedIn?: boolean;
  /** Opened by a button of a page that has loaded. */
  isDialog?: boolean;
  open(page: Page): Promise<unknown>;
}

export async function sessionViews(t: TestContext, bed: GatedBed): Promise<View[]> {
  const written = await changedSession(bed);
  const asking = bed.model.lead();
  const asked = await startRun(bed, { name: "A routine that asks", prompt: asking.task });
  const input = {
    question: "Which of the two branches is to be released, and does the other one stay?",
    choices: ["main, and the other stays", "next", "Neither of them before the release notes are written"],
    default: "next",
  };
  asking.say({ text: "I have to ask.", toolCalls: [{ name: "mcp__reveille__ask", input }] });
  const pushing = bed.model.lead();
  const tools = { ask: ["Bash(git push:*)"] };
  const approved = await startRun(bed, { name: "A routine that pushes", prompt: pushing.task, tools });
  pushing.run("Now I push.", `git push origin HEAD:claude/${"a-branch-with-a-long-name-".repeat(4)}`);
  const ended = await playRun(t, bed, "An ended run");
  const code = '// A comment.\nexport const port: number = listen("here", 8080);';
  const text = `## Done\n\n\`code\`\n\n\`\`\`ts\n${code}\n\`\`\``;
  await ended.report([RUNNING, said({ type: "agent.message", message_id: "msg_1", text })]);
  await ended.finish("Everything is done.");

  return [
    {
      name: "a session that has ended",
      open: async (page) => {
        await openSession(page, ended.sessionId);
        await untilConnection(page, "ended");
        await transcript(page).getByText("Everything is done.").first().waitFor();
        await transcript(page).locator("pre span").getByText("export", { exact: true }).waitFor();
      },
    },
    {
      name: "a session that asks, and is searched",
      open: async (page) => {
        await openSession(page, asked.session_id);
        await page.getByRole("region", { name: "The agent asks" }).waitFor();
        await page.getByRole("textbox", { name: "Message to the agent" }).waitFor();
        await page.getByRole("button", { name: "Search the transcript" }).click();
        await page.getByRole("textbox", { name: "Search the transcript" }).fill("ask");
      },
    },
    {
      name: "a session that asks to make a call",
      open: async (page) => {
        await openSession(page, approved.session_id);
        await page.getByRole("region", { name: "The agent asks to make this call" }).waitFor();
        await untilRunStatus(page, "waiting");
      },
    },
    {
      name: "a session's changes, with a comment",
      open: async (page) => {
        await page.goto(`/sessions/${written}?view=changes`);
        const file = page.getByRole("region", { name: "written.txt" });
        await file.getByRole("button", { name: "Comment on line 2" }).click();
        await page.keyboard.type("Say it in one line.");
        await page.keyboard.press("Control+Enter");
        await page.getByRole("region", { name: "Comments that go with the next message" }).waitFor();
        await file.getByRole("button", { name: "Comment on line 1" }).click();
      },
    },
    {
      name: "a session's events",
      open: async (page) => {
        await page.goto(`/sessions/${written}?view=events`);
        await page
          .getByRole("button", { name: /run\.queued/ })
          .first()
          .click();
        await page.getByText(`"session_id": "${written}"`).waitFor();
      },
    },
  ];
}

/** What it leaves on is looked at until the end. */
async function startRun(bed: GatedBed, input: Record<string, unknown>) {
  const { id } = await createRoutine(bed, input);
  atEnd(() => cancelRuns(bed, id));
  return runNow(bed, id);
}

/** @returns a session that has ended, and has changed files. */
async function changedSession(bed: GatedBed): Promise<string> {
  const path = `/api/v1/routines/${bed.demoRoutineId}`;
  const { repositories } = await ask(bed, { method: "GET", path, answer: routineSchema });
  const conversation = bed.model.lead();
  const run = await startRun(bed, { name: "A routine that writes", prompt: conversation.task, repositories });
  const long = "words that go on beyond every window ".repeat(8);
  conversation.run("I write.", `cd */ 2>/dev/null; printf 'first line\\n${long}\\n' > written.txt; rm README.md`);
  conversation.finish("Written.");
  await untilEnded(bed, run.run_id);
  return run.session_id;
}
