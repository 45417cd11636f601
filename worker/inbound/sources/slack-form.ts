/**
 * Forms that Slack sends: slash commands, which wake routines, and the rest, which does not.
 * @see https://docs.slack.dev/interactivity/implementing-slash-commands "Implementing slash commands": an answer in 3 s
 */
import type { ListenerAnswer, Reading } from "./listener.ts";
import { namedFields } from "./named-fields.ts";
import { contextOf, readEvent, textAt } from "./payload.ts";

/** What lets others act in Slack for a while, or stands for the app: neither filters nor agents get it. */
const CREDENTIALS = ["token", "response_url", "trigger_id"];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** @param body of a request that is signed, and no JSON object. */
export function readSlackForm(body: Uint8Array): Reading {
  const form = formOf(body);
  if (form === null) return { kind: "unreadable", reason: "The body is neither a JSON object nor a form." };
  if (Object.hasOwn(form, "payload")) {
    return { kind: "ignored", reason: "Buttons, menus, shortcuts and dialogs of Slack wake nothing." };
  }
  if (Object.hasOwn(form, "ssl_check")) return { kind: "ignored", reason: "Slack checked the address's certificate." };
  const command = /^\/([^\s/]{1,100})$/.exec(textAt(form, "command") ?? "")?.[1];
  if (command === undefined) return { kind: "unreadable", reason: "The body is neither a JSON object nor a command." };
  const payload = Object.fromEntries(Object.entries(form).filter(([key]) => !CREDENTIALS.includes(key)));
  const text = textAt(form, "text");
  const user = textAt(form, "user_id");
  const userName = textAt(form, "user_name");
  const channel = textAt(form, "channel_id");
  const channelName = textAt(form, "channel_name");
  const team = textAt(form, "team_id");
  const said = text === null ? `/${command}` : `/${command} ${text}`;
  return {
    kind: "event",
    answer: takenIn(command),
    event: readEvent({
      name: "slash_command",
      action: command,
      summary: userName === null ? `Slack ${said}` : `Slack ${said} by ${userName}`,
      // It is new for each time that the command is given.
      dedupe_key: textAt(form, "trigger_id"),
      payload,
      fields: namedFields({ text, user, channel, team, user_name: userName, channel_name: channelName }),
      context: contextOf([
        ["Command", `/${command}`],
        ["User", named(userName, user)],
        ["Channel", named(channelName, channel)],
        ["Workspace", named(textAt(form, "team_domain"), team)],
        ["Text", text],
      ]),
    }),
  };
}

/** Shown to whoever gave the command, and to nobody else. */
function takenIn(command: string): ListenerAnswer {
  const body = JSON.stringify({ response_type: "ephemeral", text: `Reveille has taken in \`/${command}\`.` });
  return { status: 200, contentType: "application/json", body };
}

function formOf(body: Uint8Array): Record<string, string> | null {
  try {
    return Object.fromEntries(new URLSearchParams(decoder.decode(body)));
  } catch {
    return null;
  }
}

function named(name: string | null, id: string | null): string | null {
  return name === null || id === null ? (name ?? id) : `${name} (${id})`;
}
