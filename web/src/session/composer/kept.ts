/** What is kept in this browser of what a person writes to a session: the draft, and messages that the transcript has not yet. */
import type { OutgoingMessage } from "./outgoing.ts";

const PREFIX = "reveille:said:";

export function readDraft(sessionId: string): string {
  return read(`${sessionId}:draft`) ?? "";
}

export function keepDraft(sessionId: string, text: string): void {
  write(`${sessionId}:draft`, text === "" ? null : text);
}

export function keepMessages(sessionId: string, messages: readonly OutgoingMessage[]): void {
  write(`${sessionId}:messages`, messages.length === 0 ? null : JSON.stringify(messages));
}

/**
 * @param since the first event that will be loaded: of a message that was stored before it, nobody would learn that the agent has it.
 */
export function readMessages(sessionId: string, since: number): OutgoingMessage[] {
  const kept = parse(read(`${sessionId}:messages`));
  return kept.filter(({ state, after }) => state !== "accepted" || after >= since);
}

function parse(text: string | null): OutgoingMessage[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(value) ? value.filter(isMessage) : [];
  } catch {
    return [];
  }
}

function isMessage(value: unknown): value is OutgoingMessage {
  if (typeof value !== "object" || value === null) return false;
  const { id, text, after, state } = value as Partial<Record<keyof OutgoingMessage, unknown>>;
  const isState = state === "sending" || state === "accepted" || state === "refused";
  return typeof id === "string" && typeof text === "string" && typeof after === "number" && isState;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** Where a browser keeps nothing, the page does without. */
function write(key: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, text);
  } catch {
    // Full, or not allowed.
  }
}
