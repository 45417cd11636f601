/** Looks up what a run is told of earlier runs: its own routine's from this object, others' from the index. */
import { called } from "#instance/calls.ts";
import { lastRunsOf } from "#instance/d1/last-runs.ts";
import type { EventBody } from "#protocol/transcript.ts";
import { d1Failure } from "#rules/calls/retryable.ts";
import { type ContextOf, contextText } from "#rules/run/context-text.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { RunContexts } from "../runs/run-contexts.ts";
import type { RunEngine } from "../runs/run-engine.ts";
import type { RunRow, RunStore } from "../runs/run-store.ts";
import type { Tx } from "../work.ts";

/** For one look, in milliseconds. */
const LOOK_MS = 5_000;

/** What was found: text for the agent, and names that no routine has. */
export interface FoundContext {
  text: string | null;
  unknown: string[];
}

interface Parts {
  definitions: DefinitionStore;
  runs: RunStore;
  contexts: RunContexts;
  engine: RunEngine;
}

export class ReadContext {
  readonly #database: D1Database;
  readonly #parts: Parts;

  constructor(database: D1Database, parts: Parts) {
    this.#database = database;
    this.#parts = parts;
  }

  /** @returns null where nothing has to be looked up, or it has been. @throws where the database gives no answer. */
  async find(row: RunRow): Promise<FoundContext | null> {
    const { definitions, contexts } = this.#parts;
    // A message goes on with a conversation, which has what its first run was told.
    if (row.doc.trigger.type === "message") return null;
    const wanted = definitions.atRevision(row.doc.routine.revision).context_from;
    if (wanted.length === 0 || contexts.of(row.id) !== undefined) return null;
    const unknown: string[] = [];
    const parts: ContextOf[] = [];
    for (const { routine, last } of wanted) {
      const runs = routine === "self" ? this.#parts.runs.lastSettled(last) : await this.#look(routine, last);
      if (runs === null) unknown.push(routine);
      else parts.push({ routine, runs });
    }
    return { text: contextText(parts), unknown };
  }

  /** Keeps it, and shows people what the agent is told. */
  keep(tx: Tx, row: RunRow, { text, unknown }: FoundContext): void {
    const { contexts, engine } = this.#parts;
    if (contexts.of(row.id) !== undefined) return;
    contexts.keep(tx, row.id, text);
    const events: EventBody[] = unknown.map((name) => ({
      type: "notice",
      level: "warning",
      code: "context_missing",
      message: `context_from: no routine is called ${JSON.stringify(name)}. The run goes on without it.`,
    }));
    if (text !== null) events.push({ type: "user.message", source: "context", text });
    if (events.length > 0) engine.append(tx, row, events);
  }

  #look(routine: string, last: number) {
    const rule = { party: "the index", deadlineMs: LOOK_MS, isRepeatable: true, failureOf: d1Failure };
    return called(rule, () => lastRunsOf(this.#database, routine, last));
  }
}
