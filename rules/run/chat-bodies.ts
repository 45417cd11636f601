/** What Telegram and Discord are sent. What agents and people wrote stands in it as plain text. Pure. */
import { type AnswerButton, evidenceLines, sessionUrl, type Told } from "./notification-body.ts";
import { sentenceOf } from "./notify.ts";

/** What Telegram takes in one message, in UTF-16 units; a little is left for the link. */
const TELEGRAM_LIMIT = 3_500;
const TELEGRAM_BUTTON_LIMIT = 64;
/** What Discord takes, and so much of it for the link. */
const DISCORD_LIMIT = 2_000;
const DISCORD_LINK_LIMIT = 300;
const DISCORD_BUTTON_LIMIT = 80;
const DISCORD_ROW = 5;
const STYLES = { primary: 1, secondary: 2, danger: 4 } as const;
/** Of a message: no previews of links. */
const SUPPRESS_EMBEDS = 4;

/** The text of `sendMessage`, without the chat, which is in the address. It has no markup: whatever stands there is text. */
export function telegramBody(told: Told, buttons: readonly AnswerButton[] = []): string {
  const keyboard = buttons.map(({ label, value }) => [
    { text: fitted(label, TELEGRAM_BUTTON_LIMIT), callback_data: value },
  ]);
  const url = linkOf(told);
  const text = fitted(partsOf(told).join("\n\n"), TELEGRAM_LIMIT);
  return JSON.stringify({
    text: url === null ? text : `${text}\n\n${url}`,
    link_preview_options: { is_disabled: true },
    ...(keyboard.length === 0 ? {} : { reply_markup: { inline_keyboard: keyboard } }),
  });
}

/** The body of an executed webhook. It mentions nobody, whatever is written. */
export function discordBody(told: Told, buttons: readonly AnswerButton[] = []): string {
  const shown = buttons.map(({ label, value, style }) => ({
    type: 2,
    style: STYLES[style ?? "secondary"],
    label: fitted(label, DISCORD_BUTTON_LIMIT),
    custom_id: value,
  }));
  const url = linkOf(told);
  const content = discordText(partsOf(told).join("\n\n"), DISCORD_LIMIT - DISCORD_LINK_LIMIT);
  return JSON.stringify({
    content: url === null || url.length > DISCORD_LINK_LIMIT - 10 ? content : `${content}\n\n<${url}>`,
    allowed_mentions: { parse: [] },
    flags: SUPPRESS_EMBEDS,
    components: rowsOf(shown).map((components) => ({ type: 1, components })),
  });
}

/** What a message in Telegram becomes whose button was pressed: without buttons. */
export function telegramAnswered(question: string, outcome: string): string {
  const rest = TELEGRAM_LIMIT - Math.min(outcome.length, TELEGRAM_LIMIT / 2);
  return `${fitted(question, rest)}\n\n${fitted(outcome, TELEGRAM_LIMIT / 2)}`;
}

/** The same in Discord. */
export function discordAnswered(question: string, outcome: string): string {
  return `${discordText(question, DISCORD_LIMIT / 2)}\n\n${discordText(outcome, DISCORD_LIMIT / 2 - 2)}`;
}

/** Text that Discord shows as it is: what would be markup, a mention or a link has a backslash before it. */
function discordText(text: string, limit: number): string {
  const whole = text.replace(/[\\*_~`|<>#[\]()@:-]/g, "\\$&");
  if (whole.length <= limit) return whole;
  return `${whole.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$|\\+$/, "")}…`;
}

function partsOf({ kind, fact, routine, run }: Told): string[] {
  const written = [fact.detail, run?.error?.message ?? null, run?.summary ?? null];
  const parts = written.flatMap((text) => (text === null || text.trim() === "" ? [] : [text.trim()]));
  return [sentenceOf(kind, routine.name, fact), ...parts, ...(run === null ? [] : [evidenceLines(run).join("\n")])];
}

function linkOf({ run, publicUrl }: Told): string | null {
  return run === null ? null : sessionUrl(run.session_id, publicUrl);
}

function rowsOf<Item>(items: readonly Item[]): Item[][] {
  const rows = Math.ceil(items.length / DISCORD_ROW);
  return Array.from({ length: rows }, (_, row) => items.slice(row * DISCORD_ROW, (row + 1) * DISCORD_ROW));
}

/** With an ellipsis where it is too long. @param limit in UTF-16 units; it ends with a whole character. */
function fitted(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
