/**
 * Webhooks come while workerd is killed, again and again; who gets no answer sends again, as sources do. In the end each
 * event has had one effect. Linux only, since it looks into /proc. Run it by
 * `node --test test/scripts/deliveries-killed.e2e.ts`; the sweep that takes up what was cut off comes once a minute.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { deliverySchema } from "#protocol/delivery.ts";
import { occurrenceSchema } from "#protocol/occurrence.ts";
import { routineSchema } from "#protocol/routine.ts";
import { killWorkerd } from "./support/killed-instance.ts";
import { cleanUp, printedCurl, type StartedInstance, startProcess } from "./support/started-instance.ts";
import { until } from "./support/until.ts";

const EVENTS = 120;
/** From the first event on, and then from the moment at which the instance answers again. */
const KILLS_AFTER_MS = [150, 400, 60, 900];
const HANDLED_WITHIN_MS = 180_000;
const ANSWER_WITHIN_MS = 10_000;
const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() });

const folders: string[] = [];
after(() => {
  for (const folder of folders) cleanUp(folder);
});

function fileOf(instance: StartedInstance, name: string) {
  return z.looseObject({}).parse(JSON.parse(readFileSync(path.join(instance.state, name), "utf8")));
}

/** Sends until it is answered, as GitHub's redelivery does: with the same id. @returns how often it was sent. */
async function deliver(instance: StartedInstance, secret: string, number: number): Promise<number> {
  const repository = { id: 4_711, full_name: "acme/killed", private: true, html_url: "https://github.com/acme/killed" };
  const issue = { number, title: `Issue ${number}`, author_association: "OWNER", user: { login: "octocat" } };
  const body = JSON.stringify({ action: "opened", issue, repository, sender: { login: "octocat" } });
  const headers = {
    "content-type": "application/json",
    "x-github-event": "issues",
    "x-github-delivery": `delivery-${number}`,
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
  for (let sent = 1; ; sent += 1) {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const url = `http://127.0.0.1:${instance.port}/webhooks/github`;
    const answer = await fetch(url, { method: "POST", headers, body, signal }).catch(() => null);
    if (answer?.status === 202) return sent;
    await delay(100);
  }
}

test("workerd is killed while webhooks come: each event has one effect", async (t) => {
  const instance = await startProcess();
  folders.push(instance.state);
  await printedCurl(instance);
  const headers = { authorization: `Bearer ${fileOf(instance, "local.json")["owner_token"]}` };
  const origin = `http://127.0.0.1:${instance.port}`;
  const made = await fetch(`${origin}/api/v1/routines`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({
      name: "killed",
      prompt: "Look at the issue.",
      overlap: "queue",
      repositories: [{ url: "https://github.com/acme/killed" }],
      triggers: [{ type: "github", event: "issues" }],
    }),
  });
  const { id } = routineSchema.parse(await made.json());
  async function all<Item extends z.ZodType>(at: string, item: Item): Promise<z.infer<Item>[]> {
    const items: z.infer<Item>[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const answer = await fetch(`${origin}${at}?limit=200${query}`, { headers });
      const page = listOf(item).parse(await answer.json());
      items.push(...page.data);
      cursor = page.next_cursor;
    }
    return items;
  }

  const secret = z.string().parse(fileOf(instance, "secrets.json")["GITHUB_WEBHOOK_SECRET"]);
  const sending = Promise.all(
    Array.from({ length: EVENTS }, async (_, index) => {
      await delay(index * 15);
      return deliver(instance, secret, index);
    }),
  );
  for (const afterMs of KILLS_AFTER_MS) {
    // The moment itself is the case: there is no event to wait for.
    await delay(afterMs);
    await killWorkerd(instance);
  }
  const sent = await sending;
  t.diagnostic(`${sent.filter((times) => times > 1).length} of ${EVENTS} were sent more than once`);
  await until("the last delivery is handled", HANDLED_WITHIN_MS, async () => {
    const deliveries = await all("/api/v1/deliveries", deliverySchema);
    return deliveries.length >= EVENTS && deliveries.every(({ status }) => status !== "stored");
  });
  const occurrences = await all(`/api/v1/routines/${id}/occurrences`, occurrenceSchema);
  const effects = occurrences.filter(({ outcome }) => outcome === "started" || outcome === "queued");
  assert.equal(effects.length, EVENTS, "one effect for each event");
  assert.equal(new Set(effects.map(({ trigger }) => trigger.summary)).size, EVENTS, "of each event");
  assert.ok(occurrences.every((one) => effects.includes(one) || one.outcome === "duplicate"));
  instance.child.kill("SIGINT");
  assert.equal(await instance.exited, 0, instance.output());
});
