/** One message in Slack is told of three times: as a mention, as a message, and when its link has been unfolded. It wakes once. */
import { expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { runsOf, triggerTexts } from "#test/support/chains.ts";
import { post } from "#test/support/deliver.ts";
import { endpointTrigger } from "#test/worker/listeners/endpoint-trigger.ts";
import { bytesOf } from "#test/worker/listeners/signing.ts";
import { slackCase } from "#test/worker/listeners/slack-case.ts";

const TEXT = "<@U0REVEILLE> look at https://status.example/incident/7";
const WRITTEN = { type: "message", user: "U123ABC456", text: TEXT, ts: "1795166400.000100" };
const PLACE = { channel: "C123ABC456", channel_type: "channel" };
const MENTION = { ...WRITTEN, type: "app_mention", channel: PLACE.channel };
const MESSAGE = { ...WRITTEN, ...PLACE };
const CHANGED = { type: "message", subtype: "message_changed", hidden: true, ts: "1795166402.000200", ...PLACE };
const UNFOLDED = {
  ...CHANGED,
  message: { ...WRITTEN, attachments: [{ id: 1, from_url: "https://status.example/incident/7", title: "Incident 7" }] },
  previous_message: WRITTEN,
};
const EDITED = { ...CHANGED, message: { ...WRITTEN, text: `${TEXT}, please` }, previous_message: WRITTEN };

async function slackApp() {
  const routine = await buildRoutine({ max_concurrent: 10, triggers: [endpointTrigger(slackCase)] });
  const trigger = routine.triggers[0]?.id;
  const [secret] = slackCase.secrets;
  expect((await call("POST", `/api/v1/routines/${routine.id}/triggers/${trigger}/secret`, { secret })).status).toBe(
    201,
  );
  let events = 0;
  /** Each has an id of its own, as Slack gives it. */
  const send = async (event: object) => {
    events += 1;
    const body = JSON.stringify({
      type: "event_callback",
      team_id: "T061EG9R6",
      api_app_id: "A0MDYCDME",
      event_id: `Ev${events}${routine.id}`,
      event_time: 1_795_166_400,
      event,
    });
    const headers = await slackCase.sign(bytesOf(body), secret, Date.now());
    expect(
      (await post(`/webhooks/slack/${trigger}`, body, { "content-type": "application/json", ...headers })).status,
    ).toBe(202);
  };
  /** What has come, once all has been handled. */
  const handled = (count: number) =>
    vi.waitFor(async () => {
      const { body } = await call<Page<Delivery>>("GET", "/api/v1/deliveries?source=slack&limit=100");
      const own = body.data.filter(({ trigger_id }) => trigger_id === trigger);
      expect(own).toHaveLength(count);
      expect(own.map(({ status }) => status)).not.toContain("stored");
      return own;
    }, 10_000);
  return { routine, send, handled };
}

it.each([
  ["as Slack usually sends them", [MENTION, MESSAGE, UNFOLDED]],
  ["the message before the mention", [MESSAGE, MENTION, UNFOLDED]],
  ["the unfolding before both", [UNFOLDED, MENTION, MESSAGE]],
])("three posts of one message, %s, make one run", async (_order, posts) => {
  const { routine, send, handled } = await slackApp();
  for (const event of posts) await send(event);
  const deliveries = await handled(3);
  expect(deliveries.map(({ status }) => status).sort()).toEqual(["duplicate", "handled", "ignored"]);
  expect(deliveries.find(({ status }) => status === "ignored")?.note).toMatch(/text is what it was/);
  const runs = await runsOf(routine.id);
  expect(runs).toHaveLength(1);
  expect((await triggerTexts(runs[0] ?? expect.unreachable())).join()).toContain("status.example/incident/7");
});

it("three posts of one message at once make one run, and its change by a person another", async () => {
  const { routine, send, handled } = await slackApp();
  await Promise.all([MENTION, MESSAGE, UNFOLDED].map(send));
  await handled(3);
  expect(await runsOf(routine.id)).toHaveLength(1);
  await send(EDITED);
  await handled(4);
  expect(await runsOf(routine.id)).toHaveLength(2);
});
