/** What runs need of the rows of secrets in D1: those of some names, and a note that they were used. */
import { logTrouble } from "#protocol/log.ts";
import { type SecretScope, type SecretSource, secretScopeSchema, secretSourceSchema } from "#protocol/secret.ts";
import { d1Failure } from "#rules/calls/retryable.ts";
import { called } from "../calls.ts";

/** A row that can't be read, because somebody has changed it. */
export interface UnreadableSecret {
  name: string;
  isUnreadable: true;
}

export interface FoundSecret {
  name: string;
  /** One of the two is there. */
  sealed: string | null;
  source: SecretSource | null;
  scope: SecretScope;
}

/** An attempt of a run, in the environment that it works in. */
export interface UsingAttempt {
  routineId: string;
  environmentId: string;
  runId: string;
  attempt: number;
  /** The connector whose headers are filled for it; absent where it is its variables. */
  connectorId?: string;
}

/** In milliseconds, for all tries of a statement. */
export const ROWS_DEADLINE_MS = 2_000;
const FIND = "SELECT name, sealed, source, scope FROM secrets WHERE name IN (SELECT value FROM json_each(?1))";
/** Noted again, it is the same use. */
const NOTE = `INSERT INTO secret_uses (name, at, routine_id, run_id, attempt, environment_id, variables)
  SELECT value ->> 'name', ?2, ?3, ?4, ?5, ?6, value -> 'variables' FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`;
const TOUCH = "UPDATE secrets SET last_used_at = ?2 WHERE name IN (SELECT value ->> 'name' FROM json_each(?1))";

export class SecretRows {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /** @throws NoAnswer, CallFailed when D1 gives no answer. */
  async find(names: readonly string[]): Promise<Map<string, FoundSecret | UnreadableSecret>> {
    const { results } = await asked(() =>
      this.#database.prepare(FIND).bind(JSON.stringify(names)).all<Record<string, string | null>>(),
    );
    return new Map(results.map((row) => [String(row["name"]), foundIn(row)]));
  }

  /** Notes, before values are given away, who gets them. @throws NoAnswer, CallFailed when D1 does not take it. */
  async noteUse(users: ReadonlyMap<string, readonly string[]>, use: UsingAttempt, nowMs: number): Promise<void> {
    const uses = JSON.stringify([...users].map(([name, variables]) => ({ name, variables })));
    const { routineId, runId, attempt, environmentId } = use;
    await asked(() =>
      this.#database.batch([
        this.#database.prepare(NOTE).bind(uses, nowMs, routineId, runId, attempt, environmentId),
        this.#database.prepare(TOUCH).bind(uses, nowMs),
      ]),
    );
  }

  /** Notes that values are used, by no run. @throws NoAnswer, CallFailed when D1 does not take it. */
  async touch(names: readonly string[], nowMs: number): Promise<void> {
    const uses = JSON.stringify(names.map((name) => ({ name })));
    await asked(() => this.#database.prepare(TOUCH).bind(uses, nowMs).run());
  }
}

function asked<Value>(ask: () => Promise<Value>): Promise<Value> {
  return called({ party: "the index", deadlineMs: ROWS_DEADLINE_MS, isRepeatable: true, failureOf: d1Failure }, ask);
}

/** One that can't be read is a fault of its own: whoever names another secret gets that. */
function foundIn(row: Record<string, string | null>): FoundSecret | UnreadableSecret {
  const { sealed = null, source, scope } = row;
  const name = String(row["name"]);
  try {
    return {
      name,
      sealed,
      source: source == null ? null : secretSourceSchema.parse(JSON.parse(source)),
      scope: secretScopeSchema.parse(JSON.parse(scope ?? "{}")),
    };
  } catch {
    logTrouble("secret_unreadable", { kind: "secret", id: name }, "its row can't be read");
    return { name, isUnreadable: true };
  }
}
