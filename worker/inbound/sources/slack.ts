/**
 * Slack's Events API; its commands are in `slack-form.ts`.
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack "Verifying requests from Slack"
 * @see https://docs.slack.dev/apis/events-api/ "The Events API": envelopes, repeats; its event `url_verification`
 */
import type { JsonObject } from "#protocol/schema.ts";
import { hasSecret, verifyHexSignature } from "./hex-signature.ts";
import { isNear, prefixed } from "./hmac.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading, Verification, VerifyContext } from "./listener.ts";
import { namedFields, textsOf } from "./named-fields.ts";
import { contextOf, jsonObject, readEvent, textAt, valueAt } from "./payload.ts";
import { readSlackForm } from "./slack-form.ts";

const WINDOW_SECONDS = 300;
/** Subtypes of messages that are new ones. */
const NEW_MESSAGES = ["file_share", "thread_broadcast", "me_message", "bot_message"];

export const slack: Listener = {
  source: "slack",
  title: "Slack",
  secretFrom: "source",
  fields: [
    { field: "text", what: "The text of a message; of a command, what follows it" },
    { field: "user", what: "The id of who did it, such as U061F7AUR" },
    { field: "channel", what: "The id of the channel, such as C0LAN2Q65" },
    { field: "thread", what: "Of a message in a thread: the thread's ts" },
    {
      field: "conversation",
      what: "The channel with the thread's ts, or with the message's own: one for a message and its replies",
    },
    { field: "bot", what: "With allow_bots: the id of the bot that wrote it, such as B0439P161B9" },
    { field: "team", what: "The id of the workspace" },
    { field: "channel_name", what: "Of a command: the channel's name" },
    { field: "user_name", what: "Of a command: the user's name" },
    { field: "event.channel_type", what: "Of a message: channel, group, im or mpim" },
    { field: "event.reaction", what: "Of reaction_added: the emoji's name" },
    { field: "event.item.ts", what: "Of a reaction: the message's ts" },
    { field: "event.files", what: "Files of a message" },
    { field: "is_ext_shared_channel", what: "Of an event: whether the channel is shared with other organizations" },
  ],
  setUp,
  verify: verifySlackRequest,
  read,
};

function setUp(url: string): readonly string[] {
  return [
    "At <https://api.slack.com/apps>, press **Create New App**, choose **From scratch**, and name it and its workspace; or open the one that you have.",
    "Under **Settings → Basic Information → App Credentials**, show and copy the **Signing Secret**.",
    "Put the signing secret into Reveille as this endpoint's secret. This comes first: Slack signs its check of the address too.",
    `For events: under **Features → Event Subscriptions**, turn on **Enable Events**, and give the **Request URL** \`${url}\`. Slack says **Verified** at once.`,
    "There, under **Subscribe to bot events**, add what is to be told: `app_mention`, for instance. Press **Save Changes**.",
    `For a command: under **Features → Slash Commands**, press **Create New Command**, with the same **Request URL** \`${url}\`.`,
    "Under **Settings → Install App**, install the app to the workspace, again after each change of its events.",
    "In Slack, invite the app to a channel (`/invite @app`), and mention it: the delivery shows up in Reveille within seconds.",
  ];
}

/** Whatever Slack sends is signed in one way. */
export async function verifySlackRequest(
  { headers, body }: InboundRequest,
  context: Pick<VerifyContext, "secrets" | "nowMs">,
): Promise<Verification> {
  if (!hasSecret(context.secrets)) return { ok: false, failure: "no_secret" };
  const time = headers.get("x-slack-request-timestamp");
  if (time === null || !/^[0-9]{1,12}$/.test(time)) return { ok: false, failure: "time_missing" };
  const message = prefixed(`v0:${time}:`, body);
  const signed = await verifyHexSignature(headers.get("x-slack-signature"), "v0=", message, context.secrets);
  if (!signed.ok) return signed;
  return isNear(Number(time), context.nowMs, WINDOW_SECONDS) ? signed : { ok: false, failure: "time_out_of_range" };
}

function read({ body }: InboundRequest, { allowBots = false }: EndpointSettings): Reading {
  // The body tells, not its content type: the signature leaves headers out.
  const payload = jsonObject(body);
  if (payload === null) return readSlackForm(body);
  switch (textAt(payload, "type")) {
    case "url_verification":
      return readChallenge(payload);
    case "event_callback":
      return readCallback(payload, allowBots);
    case "app_rate_limited":
      return {
        kind: "ignored",
        reason: "Slack holds back events of this app: there were more than 30,000 in an hour.",
      };
    default:
      return { kind: "unreadable", reason: "The body's type is none that Slack's Events API has." };
  }
}

/** Slack asks for the challenge back before it takes an address. */
function readChallenge(payload: JsonObject): Reading {
  const challenge = textAt(payload, "challenge");
  if (challenge === null) return { kind: "unreadable", reason: "Slack's check of the address has no challenge." };
  const answer = { status: 200, contentType: "text/plain", body: challenge } as const;
  return { kind: "ignored", reason: "Slack checked the address, and has its answer.", answer };
}

function readCallback({ token: _token, ...payload }: JsonObject, allowBots: boolean): Reading {
  const name = textAt(payload, "event.type");
  if (name === null) return { kind: "unreadable", reason: "The body has no event.type." };
  if (isOwn(payload)) return { kind: "ignored", reason: "The app's own bot did this, which never wakes itself." };
  if (!allowBots && isOfBot(payload)) {
    return { kind: "ignored", reason: "A bot did this: with allow_bots what other apps write wakes, too." };
  }
  const first = (...paths: string[]) =>
    paths.map((path) => textAt(payload, `event.${path}`)).find((found) => found !== null);
  const action = first("subtype") ?? null;
  if (isUnfolded(payload)) {
    return { kind: "ignored", reason: "Slack has shown a message's links: its text is what it was." };
  }
  const text = first("text", "message.text", "reaction") ?? attachedText(payload);
  // A change or a deletion has a time of its own: what it is about is the message within.
  const sent = first("message.ts", "deleted_ts", "ts", "item.ts");
  const user = first("user", "user.id", "message.user");
  const bot = first("bot_id", "message.bot_id");
  const botName = first("bot_profile.name", "message.bot_profile.name", "username", "message.username");
  const channel = first("channel", "channel.id", "item.channel", "channel_id");
  const by = isOfBot(payload) ? (botName ?? bot ?? user) : user;
  const heading = [`Slack ${name}`, action, channel && `in ${channel}`, by && `by ${by}`].filter(Boolean).join(" ");
  const thread = first("thread_ts", "message.thread_ts", "previous_message.thread_ts");
  const team = textAt(payload, "team_id");
  return {
    kind: "event",
    event: readEvent({
      name,
      action,
      summary: text === undefined ? heading : `${heading}: ${text}`,
      dedupe_key: messageKey(payload) ?? textAt(payload, "event_id"),
      payload,
      fields: namedFields({
        text,
        user,
        bot,
        channel,
        thread,
        conversation: channel === undefined ? undefined : (thread ?? sent) && `${channel} ${thread ?? sent}`,
        team,
      }),
      context: contextOf([
        ["Event", action === null ? name : `${name} ${action}`],
        ["User", user ?? null],
        ["Bot", bot === undefined || botName === undefined ? (bot ?? null) : `${botName} (${bot})`],
        ["Channel", channel ?? null],
        ["Kind of channel", first("channel_type") ?? null],
        ["Message", sent ?? null],
        ["Thread", thread ?? null],
        ["Workspace", team],
        ["Text", text ?? null],
      ]),
    }),
  };
}

/**
 * What a message is known by. An app that is told of mentions and of messages is told of one twice, under two ids: a
 * channel and a `ts` tell a message from every other.
 * @returns null for what is no new message.
 * @see https://docs.slack.dev/reference/events/app_mention
 */
function messageKey(payload: JsonObject): string | null {
  const type = textAt(payload, "event.type");
  if (type !== "app_mention" && type !== "message") return null;
  const subtype = textAt(payload, "event.subtype");
  if (subtype !== null && !NEW_MESSAGES.includes(subtype)) return null;
  const parts = ["team_id", "event.channel", "event.ts"].map((path) => textAt(payload, path));
  return parts.includes(null) ? null : `message ${parts.join(" ")}`;
}

/** A link in a message has been unfolded, or anything else than its text is another: `message_changed` says so as well. */
function isUnfolded(payload: JsonObject): boolean {
  if (textAt(payload, "event.subtype") !== "message_changed") return false;
  const before = valueAt(payload, "event.previous_message.text");
  return typeof before === "string" && before === valueAt(payload, "event.message.text");
}

/** Of a message without a text, as monitors write them: what stands in its attachments for whoever can't see them. */
function attachedText(payload: JsonObject): string | undefined {
  const attached = valueAt(payload, "event.attachments") ?? valueAt(payload, "event.message.attachments");
  const texts = textsOf(attached, "fallback")?.join("\n");
  return texts === "" ? undefined : texts;
}

/** Where a message stands: what is new, what has changed, what was deleted. */
const MESSAGES = ["event", "event.message", "event.previous_message"] as const;

/** Whether a bot wrote the message, also one that was changed or deleted. */
function isOfBot(payload: JsonObject): boolean {
  const isMarked = MESSAGES.some((path) => textAt(payload, `${path}.bot_id`) !== null);
  return isMarked || textAt(payload, "event.subtype") === "bot_message";
}

/** Whether the app that is told wrote the message or did the deed: it would wake itself for ever. */
function isOwn(payload: JsonObject): boolean {
  const app = textAt(payload, "api_app_id");
  const apps = MESSAGES.flatMap((path) => [`${path}.app_id`, `${path}.bot_profile.app_id`]);
  if (app !== null && apps.some((path) => textAt(payload, path) === app)) return true;
  const authorizations = valueAt(payload, "authorizations");
  if (!Array.isArray(authorizations)) return false;
  const own = authorizations.filter((one) => valueAt(one, "is_bot") === true).map((one) => textAt(one, "user_id"));
  return MESSAGES.some((path) => {
    const user = textAt(payload, `${path}.user`);
    return user !== null && own.includes(user);
  });
}
