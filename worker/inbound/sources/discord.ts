/**
 * What Discord sends to an app over HTTP: interactions (commands, buttons, menus, forms), and webhook events. Messages of
 * servers come over Discord's Gateway alone, and wake nothing here.
 * @see https://docs.discord.com/developers/interactions/receiving-and-responding "Receiving and Responding": three seconds
 * @see https://docs.discord.com/developers/events/webhook-events "Webhook Events": PING, repeats
 */
import { ownValue } from "#protocol/own-value.ts";
import type { Json, JsonObject } from "#protocol/schema.ts";
import { discordAnswered } from "#rules/run/chat-bodies.ts";
import { ed25519Signature, isSignedByKey, publicKeyOf } from "./ed25519.ts";
import { hasSecret } from "./hex-signature.ts";
import { isNear, prefixed } from "./hmac.ts";
import type {
  EndpointSettings,
  InboundRequest,
  Listener,
  ListenerAnswer,
  Press,
  Reading,
  Verification,
  VerifyContext,
} from "./listener.ts";
import { namedFields } from "./named-fields.ts";
import { contextOf, jsonObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";
import { unverified, verified } from "./verification.ts";

/** For clocks that differ. */
const AHEAD_SECONDS = 300;
/** Webhook events are sent again for ten minutes; whether anew signed is not told. */
const PAST_SECONDS = 900;
/** Only who did it sees the answer. */
const EPHEMERAL = 64;
const INTERACTIONS: Record<string, string> = { 2: "command", 3: "component", 5: "form" };
const ASKS_FOR_CHOICES = "4";
/** Kinds of channels that are conversations: messages to the app, and threads. */
const CONVERSATIONS = ["1", "10", "11", "12"];
const OPTIONS_DEEP = 3;

export const discord: Listener = {
  source: "discord",
  title: "Discord",
  secretFrom: "source",
  fields: [
    { field: "command", what: "The command's name" },
    { field: "text", what: "What was given with it; of a command on a message, the message; of a form, its answers" },
    { field: "button", what: "Of a button or a menu: its custom_id" },
    { field: "user", what: "The id of who did it" },
    { field: "user_name", what: "The name of who did it" },
    { field: "channel", what: "The channel's id; of a thread, the thread's" },
    { field: "server", what: "The server's id; not there in messages to the app" },
    {
      field: "conversation",
      what: "One for a thread, or for messages to the app; else for the message, or the command",
    },
    { field: "channel_name", what: "The channel's name" },
    { field: "data.options.0.value", what: "Of a command: the first of what was given with it" },
    { field: "member.roles", what: "The ids of the roles that who did it has" },
    { field: "event.data.user.id", what: "Of a webhook event: the user" },
  ],
  secretFault: (secret) =>
    publicKeyOf(secret) === null ? "must be the app's Public Key: 64 hexadecimal digits" : null,
  setUp: (url) => [
    "At <https://discord.com/developers/applications>, press **New Application**, or open the one that you have.",
    "Under **General Information**, copy the **Public Key**, and put it into Reveille as this endpoint's secret. This comes first: Discord checks the address as soon as it is saved.",
    `There, give the **Interactions Endpoint URL** \`${url}\`, and press **Save Changes**.`,
    "Make a command, for instance: `curl -X POST https://discord.com/api/v10/applications/APP_ID/commands -H 'Authorization: Bot BOT_TOKEN' -H 'Content-Type: application/json' " +
      '-d \'{"name":"deploy","description":"Deploy","options":[{"type":3,"name":"where","description":"Where to"}]}\'`.',
    "Under **Installation**, open the **Install Link**, and add the app to your server.",
    `For webhook events: under **Webhooks**, give the **Endpoint** \`${url}\`, turn on **Events**, and choose them.`,
    "In Discord, give the command: the delivery shows up in Reveille within seconds.",
  ],
  verify: verifyDiscordRequest,
  read,
  press,
};

/** The message becomes another by the answer to the interaction; where it is to stay, whoever pressed is told. */
function press({ body }: InboundRequest): Press | null {
  const payload = jsonObject(body) ?? undefined;
  const token = textAt(payload, "data.custom_id");
  const who = valueAt(payload, "member.user") ?? valueAt(payload, "user");
  const id = textAt(who, "id");
  if (ownValue(INTERACTIONS, wordAt(payload, "type") ?? "") !== "component" || token === null || id === null)
    return null;
  const name = textAt(who, "username");
  return {
    token,
    kind: "discord",
    who: `discord:${id}${name !== null && /^[\w.]{1,64}$/.test(name) ? `/${name}` : ""}`,
    answered: (question, outcome) => {
      const content = discordAnswered(question, outcome);
      return json({ type: 7, data: { content, components: [], allowed_mentions: { parse: [] } } });
    },
    refused: (why) => json({ type: 4, data: { content: why, flags: EPHEMERAL, allowed_mentions: { parse: [] } } }),
  };
}

/** Whatever Discord sends is signed in one way: time and body, with the app's key. */
async function verifyDiscordRequest(
  { headers, body }: InboundRequest,
  { secrets, nowMs }: Pick<VerifyContext, "secrets" | "nowMs">,
): Promise<Verification> {
  if (!hasSecret(secrets)) return unverified("no_secret");
  const header = headers.get("x-signature-ed25519");
  if (header === null || header === "") return unverified("signature_missing");
  const time = headers.get("x-signature-timestamp");
  if (time === null || !/^[0-9]{1,12}$/.test(time)) return unverified("time_missing");
  const signature = ed25519Signature(header);
  if (signature === null) return unverified("signature_malformed");
  if (!(await isSignedByKey(secrets, prefixed(time, body), signature))) return unverified("signature_wrong");
  const isLate = Number(time) < nowMs / 1_000;
  return isNear(Number(time), nowMs, isLate ? PAST_SECONDS : AHEAD_SECONDS)
    ? verified
    : unverified("time_out_of_range");
}

function read({ body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object, or nested too deeply." };
  const type = wordAt(payload, "type");
  if (type === "0") return checked({ status: 204, contentType: "application/json", body: "" });
  const isEvent = valueAt(payload, "event") !== undefined;
  if (type === "1" && isEvent) return readWebhookEvent(payload);
  if (type === "1") return checked(json({ type: 1 }));
  if (type === ASKS_FOR_CHOICES) {
    const answer = json({ type: 8, data: { choices: [] } });
    return { kind: "ignored", reason: "Discord asked for choices while somebody was writing a command.", answer };
  }
  const name = ownValue(INTERACTIONS, type ?? "");
  if (name === undefined) return { kind: "unreadable", reason: "The body's type is none that Discord sends to apps." };
  return readInteraction(name, payload);
}

/** Discord asks whether the address is there before it takes it. */
function checked(answer: ListenerAnswer): Reading {
  return { kind: "ignored", reason: "Discord checked the address, and has its answer.", answer };
}

function json(value: unknown): ListenerAnswer {
  return { status: 200, contentType: "application/json", body: JSON.stringify(value) };
}

/** @param token lets others act as the app for a quarter of an hour: neither filters nor agents get it. */
function readInteraction(name: string, { token: _token, ...payload }: JsonObject): Reading {
  const who = valueAt(payload, "member.user") ?? valueAt(payload, "user");
  const user = textAt(who, "username");
  const command = name === "command" ? textAt(payload, "data.name") : null;
  const button = textAt(payload, "data.custom_id");
  const text = saidIn(payload);
  const channel = textAt(payload, "channel_id") ?? textAt(payload, "channel.id");
  const channelName = textAt(payload, "channel.name");
  const what = command === null ? name : `/${command}`;
  const said = [what, text].filter((part) => part !== null).join(" ");
  const event = readEvent({
    name,
    action: command ?? button,
    summary: `Discord ${said}${user === null ? "" : ` by ${user}`}`,
    dedupe_key: textAt(payload, "id"),
    payload,
    fields: namedFields({
      command,
      text,
      button,
      user: textAt(who, "id"),
      user_name: user,
      channel,
      channel_name: channelName,
      server: textAt(payload, "guild_id"),
      conversation: conversationOf(payload, channel),
    }),
    context: contextOf([
      ["Command", command === null ? null : `/${command}`],
      ["Button", button],
      ["User", [user, textAt(who, "id")].filter((part) => part !== null).join(" ") || null],
      ["Channel", [channelName, channel].filter((part) => part !== null).join(" ") || null],
      ["Server", textAt(payload, "guild_id")],
      ["Under the message", textAt(payload, "message.content")],
      ["Text", text],
    ]),
  });
  const answer =
    name === "component"
      ? json({ type: 6 })
      : json({ type: 4, data: { content: `Reveille has taken in \`${what}\`.`, flags: EPHEMERAL } });
  return { kind: "event", answer, event };
}

function conversationOf(payload: JsonObject, channel: string | null): string | null {
  if (channel === null) return null;
  if (CONVERSATIONS.includes(wordAt(payload, "channel.type") ?? "")) return channel;
  const begun = textAt(payload, "message.id") ?? textAt(payload, "id");
  return begun === null ? null : `${channel} ${begun}`;
}

/** What people gave: options as `name: value`, the message that a command was given on, chosen values, answers of a form. */
function saidIn(payload: JsonObject): string | null {
  const message = Object.values(valueAt(payload, "data.resolved.messages") ?? {})[0];
  const parts = [
    ...optionsOf(valueAt(payload, "data.options"), OPTIONS_DEEP),
    textAt(message, "content"),
    ...(listAt(payload, "data.values") ?? []).map((value) => (typeof value === "string" ? value : null)),
    ...answersOf(valueAt(payload, "data.components"), OPTIONS_DEEP),
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join("\n");
}

/** @param left how deep there are options yet: subcommands have options of their own. */
function optionsOf(options: Json | undefined, left: number): string[] {
  if (!Array.isArray(options) || left === 0) return [];
  return options.flatMap((option) => {
    const value = wordAt(option, "value");
    const name = textAt(option, "name") ?? "?";
    return value === null ? [name, ...optionsOf(valueAt(option, "options"), left - 1)] : [`${name}: ${value}`];
  });
}

function answersOf(components: Json | undefined, left: number): string[] {
  if (!Array.isArray(components) || left === 0) return [];
  return components.flatMap((component) => {
    const value = textAt(component, "value");
    const inner = valueAt(component, "component");
    return [
      ...(value === null ? [] : [`${textAt(component, "custom_id") ?? "?"}: ${value}`]),
      ...answersOf(valueAt(component, "components"), left - 1),
      ...answersOf(inner === undefined ? undefined : [inner], left - 1),
    ];
  });
}

function listAt(payload: JsonObject, path: string): Json[] | null {
  const found = valueAt(payload, path);
  return Array.isArray(found) ? found : null;
}

/** Discord gives these no id: kind, time and what it is about tell one from another. */
function readWebhookEvent(payload: JsonObject): Reading {
  const name = textAt(payload, "event.type");
  const at = textAt(payload, "event.timestamp");
  if (name === null) return { kind: "unreadable", reason: "The body has no event.type, as Discord's events have." };
  const about = ["event.data.id", "event.data.user.id", "event.data.user_id"]
    .map((path) => textAt(payload, path))
    .find((found) => found !== null);
  const user = textAt(payload, "event.data.user.username");
  const event = readEvent({
    name,
    action: null,
    summary: `Discord ${name}${user === null ? "" : ` by ${user}`}`,
    dedupe_key: at === null ? null : [name, at, about].filter(Boolean).join(" "),
    payload,
    fields: namedFields({
      text: textAt(payload, "event.data.content"),
      user: textAt(payload, "event.data.user.id") ?? textAt(payload, "event.data.user_id"),
      user_name: user,
      channel: textAt(payload, "event.data.channel_id"),
      server: textAt(payload, "event.data.guild.id"),
    }),
    context: contextOf([
      ["Event", name],
      ["At", at],
      ["User", user],
      ["Server", textAt(payload, "event.data.guild.name")],
      ["Text", textAt(payload, "event.data.content")],
    ]),
  });
  return { kind: "event", answer: { status: 204, contentType: "application/json", body: "" }, event };
}
