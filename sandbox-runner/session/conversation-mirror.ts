/**
 * The agent's conversation as its program writes it down, handed on as it comes. What is handed on is in the frame log at once,
 * so the agent never waits for it, and what the frame log has reaches the instance once and in order.
 */
import type { SessionKey, SessionStore, SessionStoreEntry } from "@anthropic-ai/claude-agent-sdk";
import { conversationFileSchema } from "#protocol/conversation.ts";

/** The one folder of conversations in the agent's home, whatever its working folder is called. */
export const PROJECT_FOLDER = "workspace";

/**
 * Bookkeeping of the agent's program, which no later run needs. With the cost so far, a later run would count an earlier one's
 * again.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "queue-operation",
  "last-prompt",
  "atis-latch",
  "tools-used",
  "mode",
  "cost-state",
]);
const LEFT_OUT_BEGINNING = "api-request";
/** Entries that the agent's program keeps beside a subagent's file. */
const BESIDE_FILE = "agent_metadata";

export type SendEntries = (file: string | null, entries: readonly SessionStoreEntry[]) => void;

export class ConversationMirror implements SessionStore {
  readonly #send: SendEntries;
  #entries = 0;
  #isClosed = false;
  #names: { own: string; given: string } | null = null;

  constructor(send: SendEntries) {
    this.#send = send;
  }

  /** How many have been handed on. */
  get entries(): number {
    return this.#entries;
  }

  /** What the program calls by a name of its own is handed on by the conversation's: both are UUIDs, and stand for nothing else. */
  rename(own: string, given: string): void {
    this.#names = { own, given };
  }

  /** The attempt is over: what would still come is handed on no more. */
  close(): void {
    this.#isClosed = true;
  }

  /** @throws for a file that no later run could be given: the agent's program then says what is lost. */
  async append({ subpath }: SessionKey, entries: SessionStoreEntry[]): Promise<void> {
    if (this.#isClosed) return;
    const kept = entries.filter(({ type }) => !LEFT_OUT.has(type) && !type.startsWith(LEFT_OUT_BEGINNING));
    const named = kept.map((entry) => this.#named(entry));
    const [beside, own] = [named.filter(isBeside), named.filter((entry) => !isBeside(entry))];
    this.#hand(subpath === undefined ? null : `${subpath}.jsonl`, own);
    if (subpath !== undefined) this.#hand(`${subpath}${META}`, beside);
  }

  /** What is to be gone on from lies in the agent's home before its program starts. */
  async load(): Promise<null> {
    return null;
  }

  #named(entry: SessionStoreEntry): SessionStoreEntry {
    if (this.#names === null) return entry;
    return JSON.parse(JSON.stringify(entry).replaceAll(this.#names.own, this.#names.given));
  }

  #hand(file: string | null, entries: readonly SessionStoreEntry[]): void {
    if (entries.length === 0) return;
    this.#send(file === null ? null : conversationFileSchema.parse(file), entries);
    this.#entries += entries.length;
  }
}

/** At the end of the name of what lies beside a file: of that the last entry counts, and is all that it has. */
export const META = ".meta.json";

function isBeside({ type }: SessionStoreEntry): boolean {
  return type === BESIDE_FILE;
}
