/** Whether schema, bindings and secrets are those that this version needs. */
import { readConfig } from "#instance/config.ts";
import { routineIndex } from "#instance/d1/routine-index.ts";
import { NoAnswer, withinDeadline } from "#instance/in-time.ts";
import { type Jurisdiction, rosterObject } from "#instance/objects.ts";
import { errorText, logTrouble } from "#protocol/log.ts";
import journal from "../../migrations/d1/meta/_journal.json" with { type: "json" };
import { type Env, missingBindings } from "../bindings.ts";
import { rosterFilling } from "../clock/fill-roster.ts";
import { askResidence } from "./residence.ts";

export interface ReadinessFault {
  /** What is at fault: `schema`, a binding, a variable or a secret. */
  field: string;
  message: string;
}

/** When D1 does not answer within this time, that is reported as a fault. */
const DATABASE_DEADLINE_MS = 2_000;
/** What brings D1 up to date. Nothing here tells by which name the instance was deployed. */
const MIGRATE_COMMAND =
  "npm run deploy, with the --name of this instance if it was deployed with one (a local instance: npm start again)";

/** Every fault at once. A newer schema than this version's is none. */
export async function readinessFaults(given: Env): Promise<ReadinessFault[]> {
  const bindings = missingBindings(given);
  const config = readConfig(given);
  const isBound = (name: string) => !bindings.some(({ field }) => field === name);
  const canAskRoster = config.ok && isBound("ROSTER");
  const residence = canAskRoster ? await residenceFaults(given, config.config.jurisdiction) : [];
  const schema = isBound("DB") ? await schemaFaults(given.DB) : [];
  return [...bindings, ...(config.ok ? [] : config.issues), ...residence, ...schema];
}

async function residenceFaults(given: Env, configured: Jurisdiction): Promise<ReadinessFault[]> {
  try {
    const roster = () => rosterObject(given);
    const fillRoster = () => rosterFilling(roster, routineIndex(given.DB))();
    const fault = await askResidence({ roster, fillRoster }, configured);
    return fault === null ? [] : [fault];
  } catch (error) {
    logTrouble("roster_silent", {}, error);
    return [{ field: "ROSTER", message: "the object that knows the routines does not answer: try again soon" }];
  }
}

async function schemaFaults(database: D1Database): Promise<ReadinessFault[]> {
  try {
    const asked = database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
    const { results } = await withinDeadline(asked, DATABASE_DEADLINE_MS, "the database");
    const applied = new Set(results.map(({ name }) => name.replace(/\.sql$/, "")));
    const missing = journal.entries.map(({ tag }) => tag).filter((tag) => !applied.has(tag));
    if (missing.length === 0) return [];
    return [{ field: "schema", message: `${missing.join(", ")} is not applied: ${MIGRATE_COMMAND}` }];
  } catch (error) {
    if (error instanceof NoAnswer) return [{ field: "DB", message: "the database does not answer: try again soon" }];
    logTrouble("index_unreadable", {}, error);
    return [{ field: "schema", message: `it can't be read: ${MIGRATE_COMMAND}` }];
  }
}

/** Whether an error tells that D1 lacks a table or a column of this version's. */
export function isSchemaFault(fault: unknown): boolean {
  return /no such (table|column)|has no column named/.test(errorText(fault));
}
