/** Whatever a sender calls its event, a trigger can write it, and a person see it. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "#protocol/schema.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { type Trigger, triggerInputSchema, webhookTriggerSchema } from "#protocol/triggers.ts";
import { judgeTrigger } from "#rules/triggers/judge-trigger.ts";
import { LISTENERS } from "#worker/inbound/sources/all.ts";
import { isObject } from "#worker/inbound/sources/payload.ts";
import { bytesOf } from "./signing.ts";

const ID = "trg_01JD0000000000000000000000";
const SETTINGS = { auth: null, pubsub: null, url: "https://reveille.example" };
const JSON_TYPE = { "content-type": "application/json" };
const ATTRIBUTES = { specversion: "1.0", source: "/here", id: "1" };

type Source = "generic" | "standard-webhooks" | "stripe" | "jira";
interface Sender {
  source: Source;
  /** What is asked for, under the name. */
  sends(name: string): { headers: Record<string, string>; body: JsonObject };
  /** What an event without a name is called; null where it is unreadable. */
  unnamed: string | null;
}

const SENDERS: Record<string, Sender> = {
  "a generic body": { source: "generic", sends: (type) => ({ headers: JSON_TYPE, body: { type } }), unnamed: "event" },
  "Standard Webhooks": {
    source: "standard-webhooks",
    sends: (type) => ({ headers: { ...JSON_TYPE, "webhook-id": "1" }, body: { type } }),
    unnamed: "webhook",
  },
  "a CloudEvent": {
    source: "generic",
    sends: (type) => ({ headers: { "content-type": "application/cloudevents+json" }, body: { ...ATTRIBUTES, type } }),
    unnamed: null,
  },
  "a CloudEvent in headers": {
    source: "generic",
    sends: (type) => ({
      headers: {
        ...JSON_TYPE,
        "ce-specversion": "1.0",
        "ce-source": "/",
        "ce-id": "1",
        "ce-type": encodeURIComponent(type),
      },
      body: { type: "another" },
    }),
    unnamed: null,
  },
  Stripe: {
    source: "stripe",
    sends: (type) => ({ headers: JSON_TYPE, body: { id: "evt_1", type } }),
    unnamed: "event",
  },
  Jira: { source: "jira", sends: (webhookEvent) => ({ headers: JSON_TYPE, body: { webhookEvent } }), unnamed: "event" },
};

function read({ source, sends }: Sender, name: string) {
  const { headers, body } = sends(name);
  const request = { headers: new Headers(headers), body: bytesOf(JSON.stringify(body)) };
  return LISTENERS[source].read(request, SETTINGS);
}

describe.each(Object.entries(SENDERS))("%s", (_title, sender) => {
  it.each([
    ["deploy.finished", "deploy.finished"],
    [" deploy\tfinished ", "deploy finished"],
    ["a\nb", "a b"],
    ["a\u0000b", "a\\u0000b"],
    ["\u001b[31mred", "\\u001b[31mred"],
    ["\u202ex", "\\u202ex"],
    ["a\u200bb", "ab"],
    ["e\u0301 👨‍👩‍👧", "e\u0301 👨‍👩‍👧"],
  ])("whose event is called %j tells of %j, for which a trigger can wait", (sent, name) => {
    const reading = read(sender, sent);
    const { event } = reading.kind === "event" ? reading : expect.unreachable();
    expect(event.name).toBe(name);
    expect(event.summary).toContain(name);
    const { source } = sender;
    const trigger: Trigger = {
      ...triggerInputSchema.parse({ type: "webhook", source, events: [name] }),
      id: ID,
    } as Trigger;
    const told = { ...event, source, trigger_id: ID, github: null, caused_by: null } as unknown as SourceEvent;
    const judged = (one: Trigger) =>
      judgeTrigger(one, told, { id: "rtn_1", repositories: [], repositoryIds: new Map() });
    expect(judged(trigger)).toMatchObject({ matched: true });
    // One that was saved when triggers took any name.
    const old = webhookTriggerSchema.parse({ type: "webhook", source, events: [sent], id: ID });
    expect(judged(old)).toMatchObject({ matched: true });
  });

  it.each(["  ", "\u200b", "\u3164\u2060", "\u200d"])(
    "whose event is called %j, which nobody sees, has no name",
    (sent) => {
      const reading = read(sender, sent);
      if (sender.unnamed === null) {
        expect(reading).toEqual({
          kind: "unreadable",
          reason: "The CloudEvent's type has no character that can be seen.",
        });
        return;
      }
      const { event } = reading.kind === "event" ? reading : expect.unreachable();
      expect(event.name).toBe(sender.unnamed);
      // What was sent is there to be looked at.
      expect(isObject(event.payload) && Object.values(event.payload)).toContain(sent);
    },
  );
});

it.each(["a generic body", "Standard Webhooks", "a CloudEvent"])(
  "no line of what the agent is told of %s is its name's",
  (title) => {
    const reading = read(SENDERS[title] ?? expect.unreachable(), "a\nEvent: b");
    const { event } = reading.kind === "event" ? reading : expect.unreachable();
    expect(event.context.split("\n")[0]).toBe("Event: a Event: b");
  },
);
