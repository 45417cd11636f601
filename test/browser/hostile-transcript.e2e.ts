/** A transcript full of markup, script, links and control sequences does nothing but be shown. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { FrameBody } from "#protocol/runner-link.ts";
import { createRoutine, gatedBed, readEvents } from "./support/bed.ts";
import { playRun, RUNNING, said } from "./support/played-run.ts";
import { openSession, readThrough, transcript, untilConnection } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

const ELSEWHERE = "https://elsewhere.example";

const TEXTS = [
  '<script>alert("script")</script> <img src=x onerror=alert("image")> <b onclick="alert(1)">bold</b>',
  `<iframe src="${ELSEWHERE}/frame"></iframe><object data="${ELSEWHERE}/o"></object><svg onload=alert(1)></svg>`,
  `<style>@import url("${ELSEWHERE}/style.css"); body { display: none }</style><link rel=stylesheet href=${ELSEWHERE}>`,
  `<meta http-equiv="refresh" content="0;url=${ELSEWHERE}"><base href="${ELSEWHERE}"><form action="${ELSEWHERE}">`,
  `![remote](${ELSEWHERE}/pixel.png) ![again][ref] [![nested](${ELSEWHERE}/n.png)](${ELSEWHERE})\n\n[ref]: ${ELSEWHERE}/ref.png`,
  `[click](javascript:alert("link")) [data](data:text/html,<script>alert(1)</script>) [vb](vbscript:msgbox)`,
  `[hidden](JaVaScRiPt:alert(1)) [tab](java\tscript:alert(1)) <javascript:alert(1)> [file](file:///etc/passwd)`,
  `[elsewhere](${ELSEWHERE}/page) ${ELSEWHERE}/bare <${ELSEWHERE}/angle> www.elsewhere.example`,
  "\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u001b[2J\u001b[H cursor \u0000 nul \u0008\u0008 back \u009b31m",
  "\u202Egnihton tub thgir-ot-tfel\u202C \u2066isolate\u2069 \u200Bzero\u200Bwidth \uFEFFmark \uD83D\uDC69\u200D\uD83D\uDCBB",
  `${"[".repeat(3_000)} ${"> ".repeat(500)}deep ${"*".repeat(2_000)} ${"| a ".repeat(300)}\n${"|---".repeat(300)}\n`,
  `# A heading\n\n\`\`\`html\n<script>alert("code")</script>\n\`\`\`\n\n- [x] <input type=checkbox onclick=alert(1)>\n\n[^1]\n\n[^1]: note`,
  "{{constructor.constructor('alert(1)')()}} ${alert(1)} %3Cscript%3E &lt;script&gt; &#60;script&#62;",
];

/** Each text in every place that an agent or a tool can put one. */
function* everywhere(): Generator<FrameBody> {
  for (const [index, text] of TEXTS.entries()) {
    const id = `msg_${index}`;
    const call = `call_${index}`;
    yield said({ type: "run.step", phase: "setup", message: text });
    yield said({ type: "notice", level: "warning", code: `<b>${index}</b>`, message: text });
    yield said({ type: "agent.thinking", message_id: id, text });
    yield said({ type: "agent.message", message_id: id, text });
    yield said({
      type: "tool.call",
      tool_call_id: call,
      name: text.slice(0, 400),
      input: { [text]: text, list: [text] },
    });
    yield said({ type: "tool.result", tool_call_id: call, is_error: index % 2 === 1, text });
    yield said({
      type: "tool.call",
      tool_call_id: `${call}_b`,
      name: "Bash",
      input: { command: text, description: text },
    });
    yield said({ type: "tool.result", tool_call_id: `${call}_c`, is_error: false, text });
  }
}

for (const theme of ["light", "dark"] as const) {
  test(`what an agent says is text, in the ${theme} theme`, async (t) => {
    const bed = await gatedBed();
    const run = await playRun(t, bed, `<img src=x onerror=alert("name")> ${theme}`.slice(0, 80));
    await visit(t, bed, { theme }, async ({ page }) => {
      await openSession(page, run.sessionId);
      await untilConnection(page, "live");
      await run.report([RUNNING, ...everywhere()]);
      for (const text of TEXTS) run.write("msg_live", `${text}\n\n`);
      await transcript(page).getByText("constructor.constructor").last().waitFor();
      await run.report([said({ type: "agent.message", message_id: "msg_live", text: "Nothing has happened." })]);
      await transcript(page).getByText("Nothing has happened.").first().waitFor();
      await run.finish(TEXTS.join("\n\n").slice(0, 9_000));
      await untilConnection(page, "ended");

      const events = await readEvents(bed, run.sessionId);
      assert.deepEqual(
        await readThrough(page),
        events.map(({ seq }) => seq),
      );
      await openFolded(page);
      await page.locator("[role=log]").evaluate((log) => log.dispatchEvent(new MouseEvent("mousemove")));
      const found = await page.evaluate(() => {
        const log = document.querySelector("[role=log]") ?? document.body;
        const links = [...log.querySelectorAll("a[href]")].map((link) => link.getAttribute("href") ?? "");
        return {
          active: log.querySelectorAll(
            "script, iframe, object, embed, form, style, link, meta, base, img, video, audio",
          ).length,
          handlers: [...log.querySelectorAll("*")].filter((element) =>
            element.getAttributeNames().some((name) => name.startsWith("on")),
          ).length,
          links: links.filter((href) => !/^(https?:\/\/|mailto:|\/|#)/i.test(href)),
          unguarded: [...log.querySelectorAll('a[href^="http"]')].filter(
            (link) => !/noreferrer/.test(link.getAttribute("rel") ?? "") && link.getAttribute("target") === "_blank",
          ).length,
        };
      });
      assert.deepEqual(found, { active: 0, handlers: 0, links: [], unguarded: 0 });
      assert.equal(new URL(page.url()).pathname, `/sessions/${run.sessionId}`);
      assert.match((await transcript(page).textContent()) ?? "", /<script>alert/);
    });
  });
}

/** Opens whatever is folded in view, so that it is rendered too. */
async function openFolded(page: Page): Promise<void> {
  const folded = page.locator('[role=log] [aria-expanded="false"], [role=log] details:not([open]) > summary');
  for (let opened = 0; opened < 20 && (await folded.count()) > 0; opened += 1) await folded.first().click();
}

test("names and prompts of routines are text too", async (t) => {
  const bed = await gatedBed();
  const name = '<script>alert("name")</script>';
  const routine = await createRoutine(bed, { name, prompt: TEXTS.join("\n\n") });
  await visit(t, bed, {}, async ({ page }) => {
    await page.goto("/routines");
    await page.getByRole("link", { name, exact: true }).first().click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.getByRole("tab", { name: "Definition" }).click();
    await page.getByText('alert("script")').first().waitFor();
    assert.equal(new URL(page.url()).pathname, `/routines/${routine.id}`);
    assert.equal(await page.locator("main").locator("script, iframe, img, form").count(), 0);
  });
});
