/** What Discord sends, as its documentation shows it. */
import type { ListenerSample } from "./listener-case.ts";

const HEADERS = { "content-type": "application/json", "user-agent": "Discord-Interactions/1.0 (+https://discord.com)" };
const TOKEN = "A_UNIQUE_TOKEN_OF_THE_INTERACTION";
const member = {
  user: {
    id: "53908232506183680",
    username: "mason",
    global_name: "Mason",
    avatar: "a_d5efa99b3eeaa7dd43acca82f5692432",
  },
  roles: ["539082325061836999"],
  permissions: "2147483647",
};
const interaction = {
  version: 1,
  id: "786008729715212338",
  application_id: "773336526917861400",
  token: TOKEN,
  member,
  guild_id: "290926798626357999",
  channel_id: "645027906669510667",
  channel: { id: "645027906669510667", name: "ops", type: 0 },
  app_permissions: "442368",
  locale: "en-US",
};
const sent = (more: Record<string, unknown>) => () => JSON.stringify({ ...interaction, ...more });
const takenIn = (what: string) => ({
  status: 200 as const,
  contentType: "application/json" as const,
  body: `{"type":4,"data":{"content":"Reveille has taken in \`${what}\`.","flags":64}}`,
});
const NOTHING = { status: 204, contentType: "application/json", body: "" } as const;
const COMMAND = {
  type: 2,
  data: {
    id: "771825006014889984",
    name: "cardsearch",
    type: 1,
    options: [{ type: 3, name: "cardname", value: "The Gitrog Monster" }],
  },
};
const WHO = { user: "53908232506183680", user_name: "mason", server: "290926798626357999" };
const WHERE = { channel: "645027906669510667", channel_name: "ops" };

export const discordSamples: readonly ListenerSample[] = [
  {
    title: "a command (Receiving and Responding, an example of an interaction)",
    headers: HEADERS,
    body: sent(COMMAND),
    reads: {
      kind: "event",
      event: {
        name: "command",
        action: "cardsearch",
        summary: "Discord /cardsearch cardname: The Gitrog Monster by mason",
        dedupe_key: "786008729715212338",
        fields: {
          ...WHO,
          ...WHERE,
          command: "cardsearch",
          text: "cardname: The Gitrog Monster",
          conversation: "645027906669510667 786008729715212338",
        },
      },
      context: ["Command: /cardsearch", "User: mason 53908232506183680", "Channel: ops", "Text: cardname: The Gitrog"],
      absent: [TOKEN],
      paths: { "data.options.0.value": "The Gitrog Monster", "member.roles": ["539082325061836999"], token: undefined },
      answer: takenIn("/cardsearch"),
    },
  },
  {
    title: "the same command once more",
    headers: HEADERS,
    body: sent(COMMAND),
    reads: {
      kind: "event",
      event: { name: "command", dedupe_key: "786008729715212338" },
      context: [],
      answer: takenIn("/cardsearch"),
    },
  },
  {
    title: "a subcommand in a thread, which is a conversation of its own",
    headers: HEADERS,
    body: sent({
      type: 2,
      id: "2",
      channel: { id: "645027906669510667", name: "mend the door", type: 11 },
      data: { name: "door", options: [{ type: 1, name: "open", options: [{ type: 5, name: "wide", value: true }] }] },
    }),
    reads: {
      kind: "event",
      event: {
        name: "command",
        action: "door",
        fields: {
          ...WHO,
          channel: WHERE.channel,
          channel_name: "mend the door",
          command: "door",
          text: "open\nwide: true",
          conversation: "645027906669510667",
        },
      },
      context: [],
      answer: takenIn("/door"),
    },
  },
  {
    title: "a command on a message, to the app alone, beyond ASCII",
    headers: HEADERS,
    body: sent({
      type: 2,
      member: undefined,
      guild_id: undefined,
      user: member.user,
      channel: { id: "9", type: 1 },
      channel_id: "9",
      data: {
        name: "Look into it",
        type: 3,
        target_id: "5",
        resolved: { messages: { 5: { id: "5", content: "Sí 🎺" } } },
      },
    }),
    reads: {
      kind: "event",
      event: {
        name: "command",
        fields: {
          command: "Look into it",
          text: "Sí 🎺",
          user: WHO.user,
          user_name: "mason",
          channel: "9",
          conversation: "9",
        },
      },
      context: ["Text: Sí 🎺"],
      answer: takenIn("/Look into it"),
    },
  },
  {
    title: "a button (Message components, an interaction)",
    headers: HEADERS,
    body: sent({
      type: 3,
      message: { id: "775", content: "Deploy?" },
      data: { custom_id: "click_one", component_type: 2 },
    }),
    reads: {
      kind: "event",
      event: {
        name: "component",
        action: "click_one",
        fields: { ...WHO, ...WHERE, button: "click_one", conversation: "645027906669510667 775" },
      },
      context: ["Button: click_one", "Under the message: Deploy?"],
      answer: { status: 200, contentType: "application/json", body: '{"type":6}' },
    },
  },
  {
    title: "a menu",
    headers: HEADERS,
    body: sent({ type: 3, data: { custom_id: "class", component_type: 3, values: ["mage", "rogue"] } }),
    reads: {
      kind: "event",
      event: { name: "component", summary: "Discord component mage rogue by mason" },
      context: ["Text:\nmage\nrogue"],
      answer: { status: 200, contentType: "application/json", body: '{"type":6}' },
    },
  },
  {
    title: "a form with an answer of 4,000 characters, the largest form",
    headers: HEADERS,
    body: sent({
      type: 5,
      data: {
        custom_id: "report",
        components: [
          { type: 18, component: { type: 4, custom_id: "what", value: "x".repeat(4_000) } },
          { type: 1, components: [{ type: 4, custom_id: "where", value: "at the door" }] },
        ],
      },
    }),
    reads: {
      kind: "event",
      event: { name: "form", action: "report" },
      context: ["what: xxx", "where: at the door"],
      answer: takenIn("form"),
    },
  },
  {
    title: "that choices are wanted",
    headers: HEADERS,
    body: sent({ ...COMMAND, type: 4 }),
    reads: {
      kind: "ignored",
      reason: /asked for choices/,
      answer: { status: 200, contentType: "application/json", body: '{"type":8,"data":{"choices":[]}}' },
    },
  },
  {
    title: "the check of the address for interactions",
    headers: HEADERS,
    body: () => JSON.stringify({ id: "1", application_id: "2", type: 1, token: TOKEN, version: 1 }),
    reads: {
      kind: "ignored",
      reason: /checked the address/,
      answer: { status: 200, contentType: "application/json", body: '{"type":1}' },
    },
  },
  {
    title: "the check of the address for webhook events",
    headers: HEADERS,
    body: () => JSON.stringify({ version: 1, application_id: "1234560123453231555", type: 0 }),
    reads: { kind: "ignored", reason: /checked the address/, answer: NOTHING },
  },
  {
    title: "that an app was added to a server (Webhook Events, Application Authorized)",
    headers: HEADERS,
    body: () =>
      JSON.stringify({
        version: 1,
        application_id: "1234560123453231555",
        type: 1,
        event: {
          type: "APPLICATION_AUTHORIZED",
          timestamp: "2024-10-18T14:42:53.064834",
          data: {
            integration_type: 0,
            scopes: ["applications.commands"],
            user: { ...member.user, id: "80351110224678912" },
            guild: { id: "2909", name: "Acme" },
          },
        },
      }),
    reads: {
      kind: "event",
      event: {
        name: "APPLICATION_AUTHORIZED",
        dedupe_key: "APPLICATION_AUTHORIZED 2024-10-18T14:42:53.064834 80351110224678912",
        fields: { user: "80351110224678912", user_name: "mason", server: "2909" },
      },
      context: ["Server: Acme"],
      paths: { "event.data.user.id": "80351110224678912" },
      answer: NOTHING,
    },
  },
  {
    title: "that it was taken away again (Webhook Events, Application Deauthorized)",
    headers: HEADERS,
    body: () =>
      JSON.stringify({
        version: 1,
        application_id: "1",
        type: 1,
        event: {
          type: "APPLICATION_DEAUTHORIZED",
          timestamp: "2024-10-18T14:50:00.000001",
          data: { user: member.user },
        },
      }),
    reads: { kind: "event", event: { name: "APPLICATION_DEAUTHORIZED" }, context: [], answer: NOTHING },
  },
  {
    title: "another type",
    headers: HEADERS,
    body: () => '{"type":99}',
    reads: { kind: "unreadable", reason: /type is none/ },
  },
];
