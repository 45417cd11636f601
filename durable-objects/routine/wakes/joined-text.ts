/** What several events say together, as the text of the one run that is for them. Pure. */
import { FIRE_TEXT_LIMIT, type Wake } from "#protocol/occurrence.ts";
import type { Given } from "../sessions/messages.ts";

/** Stands once in the text of a run whose events have more to say than fits. */
const MORE = "\n\n--- More events have joined; there is no room for what they say.";

type Saying = Pick<Wake, "summary" | "text">;

/** @returns the run's text with an event's added, and what of it is new; what does not fit is neither given nor said. */
export function joined(before: string | null, event: Saying): { text: string | null; said: string | null } {
  if (event.text === null) return { text: before, said: null };
  const whole = withEvent(before, event);
  if (fits(whole)) return { text: whole, said: event.text };
  if (before?.endsWith(MORE)) return { text: before, said: null };
  return { text: `${before ?? ""}${MORE}`, said: MORE.trim() };
}

/** @returns the text of the first events, as many as fit, in their order, and how many they are: one at least. */
export function asOneTask([first, ...more]: readonly [Given, ...Given[]]): { text: string | null; told: number } {
  let { text } = sayingOf(first);
  let told = 1;
  for (const event of more.map(sayingOf)) {
    const whole = withEvent(text, event);
    if (!fits(whole)) break;
    text = whole;
    told += 1;
  }
  return { text, told };
}

function withEvent(before: string | null, { summary, text }: Saying): string | null {
  if (text === null) return before;
  return before === null ? text : `${before}\n\n--- ${summary}\n${text}`;
}

function fits(text: string | null): boolean {
  return text === null || text.length <= FIRE_TEXT_LIMIT - MORE.length;
}

function sayingOf({ event, text }: Given): Saying {
  return { summary: event.summary, text: text === "" ? null : text };
}
