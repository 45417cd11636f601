/** A person reads what a session has changed, says on a line what should be different, and looks at the events themselves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { routineSchema } from "#protocol/routine.ts";
import { ask, createRoutine, gatedBed, readEvents, runNow } from "./support/bed.ts";
import { pressOn, writeIn } from "./support/keyboard.ts";
import { openSession, transcript, untilConnection, untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

test("the changes are read as lines, and a comment on one goes with the next message", async (t) => {
  const bed = await gatedBed();
  const path = `/api/v1/routines/${bed.demoRoutineId}`;
  const { repositories } = await ask(bed, { method: "GET", path, answer: routineSchema });
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, { name: "Changes", prompt: conversation.task, repositories });
  const { session_id: sessionId } = await runNow(bed, routine.id);
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await openSession(page, sessionId);
    await untilRunStatus(page, "running");
    const views = page.getByRole("navigation", { name: "Views of the session" });
    await pressOn(page, views.getByRole("link", { name: "Changes" }));
    await page.getByText("No changes yet").waitFor();
    conversation.run(
      "I write.",
      "cd */ 2>/dev/null; printf 'first line\\nsecond line\\n' > written.txt; echo 'export const port = 8080;' > port.ts",
    );
    conversation.finish("Written.");
    await untilRunStatus(page, "succeeded");

    const file = page.getByRole("region", { name: "written.txt" });
    await file.getByText("second line").waitFor();
    assert.match((await file.getByRole("button", { name: /written\.txt/ }).textContent()) ?? "", /\+2 −0/);
    // A piece of its own: the line is in colours.
    await page
      .getByRole("region", { name: "port.ts" })
      .locator("td span")
      .getByText("export", { exact: true })
      .waitFor();
    await pressOn(page, file.getByRole("button", { name: "Comment on line 2" }));
    await page.keyboard.type("Say it in one line.");
    await page.keyboard.press("Control+Enter");
    const comments = page.getByRole("region", { name: "Comments that go with the next message" });
    await comments.getByText("Say it in one line.").waitFor();
    const line = file.getByRole("button", { name: "Comment on line 2" });
    assert.ok(await line.evaluate((element) => element === document.activeElement), "one goes on from the line");
    await page.reload();
    await file.getByText("Goes with your next message.").waitFor();

    conversation.finish("In one line.");
    await writeIn(page, page.getByRole("textbox", { name: "Message to the agent" }), "Please look at this.");
    await page.keyboard.press("Enter");
    await comments.waitFor({ state: "hidden" });
    await pressOn(page, views.getByRole("link", { name: "Transcript" }));
    await transcript(page).getByText("In one line.").first().waitFor();
    const said = (await readEvents(bed, sessionId)).flatMap((event) =>
      event.type === "user.message" && event.source === "person" ? event.text : [],
    );
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /^Please look at this\.\n\nComments on the changes:\n\n/);
    assert.match(said[0] ?? "", /written\.txt, line 2 \(.*\):\n> second line\nSay it in one line\.$/);

    await untilConnection(page, "ended");
    await pressOn(page, views.getByRole("link", { name: "Events" }));
    const events = page.getByRole("region", { name: "Events" });
    await pressOn(page, events.getByRole("button", { name: /run\.queued/ }).first());
    await events.getByText(`"session_id": "${sessionId}"`).waitFor();
  });
});
