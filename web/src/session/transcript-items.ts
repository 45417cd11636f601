/** Events of a transcript as items, step by step: what one more event changes costs no more for a long transcript. */
import type { TranscriptEvent } from "#protocol/transcript.ts";
import type { AnswerItem, Item, ToolItem, ToolResult, WaitItem } from "./item-types.ts";
import { cutOf, type EventOf, plainItem } from "./plain-items.ts";
import { type BeginningEvent, beginRun, extendRun, isRunItemClosed, joinRunItems } from "./run-items.ts";

/** The key of what is shown for a message, also while it is being written. */
export function messageKey(messageId: string): string {
  return `m:${messageId}`;
}

export class TranscriptItems {
  #items: Item[] = [];
  /** Where the calls are that have no result yet, by their ids. */
  #openCalls = new Map<string, number>();
  /** Where the beginnings of runs are that go on, by the runs' ids. */
  #openRuns = new Map<string, number>();
  /** Where the runs are told to wait that still do, by the runs' ids. */
  #openWaits = new Map<string, number>();
  #startedRuns = new Set<string>();
  #messages = new Set<string>();

  /** In the order of their first events. The array lives on and changes in place; the items in it don't. */
  get items(): readonly Item[] {
    return this.#items;
  }

  /** What a run waits for at this moment; null when none does. */
  get openWait(): WaitItem | null {
    const index = [...this.#openWaits.values()].at(-1);
    const item = index === undefined ? undefined : this.#items[index];
    return item?.kind === "wait" ? item : null;
  }

  hasMessage(messageId: string): boolean {
    return this.#messages.has(messageKey(messageId));
  }

  append(events: readonly TranscriptEvent[]): void {
    for (const event of events) this.#add(event);
  }

  /** Puts what came before in front, and joins what was cut apart: results with their calls, and a run's beginning. */
  prepend(before: TranscriptItems): void {
    const later = this.#items.filter((item) => !before.#absorb(item));
    for (const item of later) {
      if (item.kind === "finished" || item.kind === "run") before.#endRun(item.runId, item.atMs);
      else if (item.kind === "continued" || item.kind === "wait") before.#endWait(item.runId);
    }
    before.#renameDoubles(this.#messages);
    this.#items = before.#items.concat(later);
    for (const run of before.#startedRuns) this.#startedRuns.add(run);
    for (const message of before.#messages) this.#messages.add(message);
    this.#findOpen();
  }

  #add(event: TranscriptEvent): void {
    switch (event.type) {
      case "run.queued":
        this.#endRun(event.run_id, Date.parse(event.at));
        this.#beginRun(event);
        break;
      case "run.starting":
      case "run.running":
        this.#extendRun(event);
        break;
      case "run.step":
        if (this.#openRuns.has(event.run_id) || isBeginning(event, this.#startedRuns)) this.#extendRun(event);
        else this.#push(plainItem(event, `e:${event.seq}`));
        break;
      case "tool.call":
        this.#openCalls.set(event.tool_call_id, this.#items.length);
        this.#push(plainItem(event, `e:${event.seq}`));
        break;
      case "tool.result":
        this.#addResult(event);
        break;
      case "run.waiting":
        this.#endWait(event.run_id);
        this.#openWaits.set(event.run_id, this.#items.length);
        this.#push(plainItem(event, `e:${event.seq}`));
        break;
      case "question.answered": {
        const item = plainItem(event, `e:${event.seq}`);
        if (item.kind !== "answer" || !this.#takeAnswer(item)) this.#push(item);
        break;
      }
      case "run.continued":
        this.#endWait(event.run_id);
        this.#push(plainItem(event, `e:${event.seq}`));
        break;
      case "agent.message":
      case "agent.thinking":
        this.#push(plainItem(event, this.#keyOfMessage(event)));
        break;
      case "run.finished":
        this.#endRun(event.run_id, Date.parse(event.at));
        this.#push(plainItem(event, `e:${event.seq}`));
        break;
      default:
        this.#push(plainItem(event, `e:${event.seq}`));
    }
  }

  #push(item: Item): void {
    this.#items.push(item);
  }

  #beginRun(event: BeginningEvent): void {
    const item = beginRun(event, `e:${event.seq}`);
    if (isRunItemClosed(item)) this.#startedRuns.add(event.run_id);
    else this.#openRuns.set(event.run_id, this.#items.length);
    this.#push(item);
  }

  #extendRun(event: BeginningEvent): void {
    const index = this.#openRuns.get(event.run_id);
    const item = index === undefined ? undefined : this.#items[index];
    if (index === undefined || item?.kind !== "run") {
      this.#beginRun(event);
      return;
    }
    const grown = extendRun(item, event);
    this.#items[index] = grown;
    if (!isRunItemClosed(grown)) return;
    this.#openRuns.delete(event.run_id);
    this.#startedRuns.add(event.run_id);
  }

  #addResult(event: EventOf<"tool.result">): void {
    const result: ToolResult = {
      text: event.text,
      isError: event.is_error,
      cut: cutOf(event),
      atMs: Date.parse(event.at),
    };
    if (this.#answer(event.tool_call_id, result, [event.seq])) return;
    this.#push({
      kind: "result",
      key: `e:${event.seq}`,
      seqs: [event.seq],
      runId: event.run_id,
      atMs: result.atMs,
      toolCallId: event.tool_call_id,
      result,
    });
  }

  /** @returns false when no call waits for this result. */
  #answer(toolCallId: string, result: ToolResult, seqs: readonly number[]): boolean {
    const index = this.#openCalls.get(toolCallId);
    const item = index === undefined ? undefined : this.#items[index];
    if (index === undefined || item?.kind !== "tool") return false;
    this.#items[index] = { ...item, seqs: [...item.seqs, ...seqs], state: result.isError ? "error" : "ok", result };
    this.#openCalls.delete(toolCallId);
    return true;
  }

  /** @returns false when no question that is here waits for this answer. */
  #takeAnswer({ runId, questionId, answer, seqs }: AnswerItem): boolean {
    const index = this.#openWaits.get(runId);
    const item = index === undefined ? undefined : this.#items[index];
    if (index === undefined || item?.kind !== "wait" || item.question?.id !== questionId) return false;
    this.#items[index] = { ...item, seqs: [...item.seqs, ...seqs], answer, isOpen: false };
    this.#openWaits.delete(runId);
    return true;
  }

  #endWait(runId: string): void {
    const index = this.#openWaits.get(runId);
    const item = index === undefined ? undefined : this.#items[index];
    if (index !== undefined && item?.kind === "wait") this.#items[index] = { ...item, isOpen: false };
    this.#openWaits.delete(runId);
  }

  /** The attempt is over: its beginning grows no more, and its calls get no results. */
  #endRun(runId: string, atMs: number): void {
    this.#endWait(runId);
    const index = this.#openRuns.get(runId);
    const item = index === undefined ? undefined : this.#items[index];
    if (index !== undefined && item?.kind === "run") this.#items[index] = { ...item, endedAtMs: atMs };
    this.#openRuns.delete(runId);
    for (const [id, at] of this.#openCalls) {
      const call = this.#items[at];
      if (call?.kind !== "tool" || call.runId !== runId) continue;
      this.#items[at] = { ...call, state: "stopped" } satisfies ToolItem;
      this.#openCalls.delete(id);
    }
  }

  /** Takes a later item in, if it is the other part of one that is here. */
  #absorb(later: Item): boolean {
    if (later.kind === "answer") return this.#takeAnswer(later);
    if (later.kind === "result") return this.#answer(later.toolCallId, later.result, later.seqs);
    if (later.kind !== "run" || later.queuedAtMs !== null) return false;
    const index = this.#openRuns.get(later.runId);
    const item = index === undefined ? undefined : this.#items[index];
    if (index === undefined || item?.kind !== "run") return false;
    this.#items[index] = joinRunItems(item, later);
    if (isRunItemClosed(later)) this.#openRuns.delete(later.runId);
    return true;
  }

  /** A message's id comes from outside, so it may come twice: only one of the two has the message's key. */
  #keyOfMessage({ message_id: id, seq }: EventOf<"agent.message" | "agent.thinking">): string {
    const key = messageKey(id);
    if (this.#messages.has(key)) return `e:${seq}`;
    this.#messages.add(key);
    return key;
  }

  #renameDoubles(taken: ReadonlySet<string>): void {
    this.#items = this.#items.map((item) => (taken.has(item.key) ? { ...item, key: `e:${item.seqs[0]}` } : item));
  }

  #findOpen(): void {
    this.#openCalls.clear();
    this.#openRuns.clear();
    this.#openWaits.clear();
    for (const [index, item] of this.#items.entries()) {
      if (item.kind === "tool" && item.state === "running") this.#openCalls.set(item.toolCallId, index);
      if (item.kind === "run" && !isRunItemClosed(item)) this.#openRuns.set(item.runId, index);
      if (item.kind === "wait" && item.isOpen) this.#openWaits.set(item.runId, index);
    }
  }
}

/** A step whose run's beginning lies outside of what is loaded still belongs to it, unless the agent has been on. */
function isBeginning({ run_id: runId, phase }: EventOf<"run.step">, startedRuns: ReadonlySet<string>): boolean {
  return phase !== "finish" && !startedRuns.has(runId);
}
