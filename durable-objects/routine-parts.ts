/** Builds what a routine's object consists of, by hand, in order. */
import { IdMaker } from "#protocol/ids.ts";
import { Deadlines } from "./deadlines.ts";
import { DefinitionStore } from "./definition-store.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import type { Config } from "./environment.ts";
import { Outbox } from "./outbox.ts";
import { type Database, purgeTables } from "./routine-database.ts";
import { RunEngine } from "./run-engine.ts";
import { RunProxies } from "./run-proxies.ts";
import { RunStore } from "./run-store.ts";
import { TranscriptLog } from "./transcript-log.ts";

export function routineParts(database: Database, config: Config, ownerKey: string) {
  const ids = new IdMaker(ownerKey, (bytes) => crypto.getRandomValues(bytes));
  const definitions = new DefinitionStore(database, ids);
  const runs = new RunStore(database);
  const log = new TranscriptLog(database);
  const deadlines = new Deadlines(database);
  const outbox = new Outbox(database);
  const engine = new RunEngine({ runs, log, deadlines, outbox, definitions });
  const proxies = new RunProxies({ engine, runs, definitions, outbox });
  const door = new Doorkeeper(database, config);
  const purge = () => purgeTables(database);
  return { ids, purge, definitions, runs, log, deadlines, outbox, engine, proxies, door };
}

export type RoutineParts = ReturnType<typeof routineParts>;
