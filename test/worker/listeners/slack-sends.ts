/** What Slack sends on retry, edit and delete, the most, and the rarest. */
import type { SourceSends } from "./listener-case.ts";

const HEADERS = { "content-type": "application/json", "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)" };
const EVENTS = "https://docs.slack.dev/reference/events/message";
const MESSAGE = { type: "message", channel: "C123ABC456", channel_type: "channel" };
const WRITTEN = { type: "message", user: "U123ABC456", text: "Hello, world!", ts: "1358878749.000002" };
/** What Slack cuts a message's text to. */
const TEXT_LIMIT = 40_000;

function callback(event: Record<string, unknown>, eventId: string): () => string {
  return () =>
    JSON.stringify({
      team_id: "T061EG9R6",
      api_app_id: "A0MDYCDME",
      event,
      type: "event_callback",
      event_id: eventId,
      event_time: 1515449522,
    });
}

export const slackSends: SourceSends = {
  onRetry: {
    page: "https://docs.slack.dev/apis/events-api/#retries",
    title: "a reaction that was not answered within three seconds",
    headers: { ...HEADERS, "x-slack-retry-num": "3", "x-slack-retry-reason": "http_timeout" },
    first: { headers: HEADERS },
    body: callback({ type: "reaction_added", user: "U1", reaction: "eyes", item: { channel: "C1", ts: "1.2" } }, "Ev7"),
    reads: { kind: "event", event: { name: "reaction_added", dedupe_key: "Ev7" }, context: [] },
    knownBy: "id",
  },
  onEdit: {
    page: `${EVENTS}/message_changed`,
    title: "a changed message, which belongs to the conversation of the message that it was",
    headers: HEADERS,
    body: callback(
      {
        ...MESSAGE,
        subtype: "message_changed",
        hidden: true,
        ts: "1358878755.000001",
        message: { ...WRITTEN, edited: { user: "U123ABC456", ts: "1358878755.000001" } },
        previous_message: { ...WRITTEN, text: "Hello, word!" },
      },
      "Ev8",
    ),
    reads: {
      kind: "event",
      event: {
        name: "message",
        action: "message_changed",
        dedupe_key: "Ev8",
        fields: {
          text: "Hello, world!",
          user: "U123ABC456",
          channel: "C123ABC456",
          conversation: "C123ABC456 1358878749.000002",
          team: "T061EG9R6",
        },
      },
      context: ["Message: 1358878749.000002", "Text: Hello, world!"],
    },
  },
  onDelete: {
    page: `${EVENTS}/message_deleted`,
    title: "a deleted reply, which belongs to its thread, and is not told as if it were still there",
    headers: HEADERS,
    body: callback(
      {
        ...MESSAGE,
        subtype: "message_deleted",
        hidden: true,
        ts: "1358878755.000001",
        deleted_ts: WRITTEN.ts,
        previous_message: { ...WRITTEN, text: "What was said", thread_ts: "1358878000.000003" },
      },
      "Ev9",
    ),
    reads: {
      kind: "event",
      event: {
        name: "message",
        action: "message_deleted",
        dedupe_key: "Ev9",
        fields: {
          channel: "C123ABC456",
          thread: "1358878000.000003",
          conversation: "C123ABC456 1358878000.000003",
          team: "T061EG9R6",
        },
      },
      context: ["Event: message message_deleted", "Message: 1358878749.000002", "Thread: 1358878000.000003"],
      paths: { "event.previous_message.text": "What was said" },
    },
  },
  largest: {
    page: "https://docs.slack.dev/reference/methods/chat.postMessage#truncating",
    title: "a message as long as Slack lets one be, in three bytes for each character, with as many blocks",
    headers: HEADERS,
    body: callback(
      {
        ...MESSAGE,
        user: "U1",
        ts: "1.2",
        text: "長".repeat(TEXT_LIMIT),
        blocks: Array.from({ length: 50 }, () => ({
          type: "section",
          text: { type: "mrkdwn", text: "長".repeat(3_000) },
        })),
      },
      "Ev10",
    ),
    bytes: 3 * TEXT_LIMIT + 50 * 3 * 3_000,
    reads: { kind: "event", event: { name: "message" }, context: [`Text: ${"長".repeat(16_000)}`] },
  },
  rarestEncoding: {
    page: "https://docs.slack.dev/messaging/formatting-message-text#escaping",
    title: "a message in escapes alone: of slashes, of what is not ASCII, and of what Slack itself escapes",
    headers: { ...HEADERS, "content-type": "application/json; charset=utf-8" },
    body: () =>
      `{"team_id":"T1","type":"event_callback","event_id":"Ev11","event":{"type":"message","channel":"C1","user":"U1",` +
      String.raw`"ts":"1.2","text":"caf\u00e9 \ud83d\udea8 &lt;https:\/\/a.example\/?x=1&amp;y=2&gt;\u0000"}}`,
    reads: {
      kind: "event",
      event: { name: "message", dedupe_key: "message T1 C1 1.2" },
      context: ["café 🚨 &lt;https://a.example/?x=1&amp;y=2&gt;"],
      paths: { "event.ts": "1.2" },
    },
  },
};
