/**
 * Looks up the environments of attempts that begin, whether the secrets that they name are there, and what they are told of
 * earlier runs. While that does not go
 * through, the run waits and says so; nobody has been asked for a runner yet.
 */
import type { AttemptEnvironmentReader } from "#instance/attempt-environments.ts";
import { called } from "#instance/calls.ts";
import { connectorsNamed } from "#instance/d1/connectors.ts";
import { environmentsNamed } from "#instance/d1/environments.ts";
import { nameOfConnector } from "#protocol/connector.ts";
import type { Environment } from "#protocol/environment.ts";
import { runError } from "#protocol/run-errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { d1Failure } from "#rules/calls/retryable.ts";
import { hasTooMuch, keptEnvironment } from "#rules/environment/kept-environment.ts";
import type { RunInput } from "#rules/run/inputs.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import { leaseOf, type RunEngine } from "../runs/run-engine.ts";
import type { RunRow } from "../runs/run-store.ts";
import type { Work } from "../work.ts";
import type { ReadContext } from "./read-context.ts";

/** For one look, in milliseconds: less than a call that is owed may take. */
const LOOK_MS = 5_000;
const WAITS = "The run's environment can't be looked up for now: the database gives no answer. The run waits.";

interface Parts {
  work: Work;
  engine: RunEngine;
  definitions: DefinitionStore;
}

export class ToEnvironments implements Receiver {
  readonly name = "the environments";
  readonly sizes = [64, 8];
  readonly atOnce = 1;
  readonly #database: D1Database;
  readonly #parts: Parts;
  readonly #environments: Pick<AttemptEnvironmentReader, "faultOf">;
  readonly #context: Pick<ReadContext, "find" | "keep">;
  /** Leases whose transcript says that they wait. */
  readonly #told = new Set<string>();

  constructor(
    database: D1Database,
    parts: Parts,
    environments: Pick<AttemptEnvironmentReader, "faultOf">,
    context: Pick<ReadContext, "find" | "keep">,
  ) {
    this.#context = context;
    this.#database = database;
    this.#parts = parts;
    this.#environments = environments;
  }

  async deliver(_kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    const leases = refs.map(leaseOf);
    const names = new Set(leases.flatMap((lease) => this.#waiting(lease)?.name ?? []));
    if (names.size === 0) return [];
    const inputs = await this.#inputsOf(leases, [...names]).catch((error: unknown) => {
      this.#tellWaiting(refs);
      throw error;
    });
    this.#parts.work.change((tx) => {
      for (const { lease, input, context } of inputs) {
        const row = this.#waiting(lease)?.row;
        // Nothing is taken in twice, nor of an attempt that has ended meanwhile.
        if (input === null || row === undefined) continue;
        if (context !== null) this.#context.keep(tx, row, context);
        this.#parts.engine.feed(tx, lease.run_id, input);
      }
    });
    for (const ref of refs) this.#told.delete(ref);
    return [];
  }

  /** The run that waits for its environment, and the name of that; null when it does not wait any more. */
  #waiting(lease: LeaseRef): { row: RunRow; name: string } | null {
    const row = this.#parts.engine.leased(lease);
    if (row === null || row.doc.environment !== null) return null;
    return { row, name: this.#parts.definitions.atRevision(row.doc.routine.revision).environment };
  }

  /** @throws where the database gives no answer, be it of environments or of secrets. */
  async #inputsOf(leases: readonly LeaseRef[], names: readonly string[]) {
    const [found, addresses] = await Promise.all([this.#look(names), this.#addresses(leases)]);
    return Promise.all(
      leases.map(async (lease) => {
        const row = this.#waiting(lease)?.row;
        const context = row === undefined ? null : await this.#context.find(row);
        return { lease, context, input: await this.#inputOf(lease, found, addresses) };
      }),
    );
  }

  #look(names: readonly string[]): Promise<ReadonlyMap<string, Environment | null>> {
    const rule = { party: this.name, deadlineMs: LOOK_MS, isRepeatable: true, failureOf: d1Failure };
    return called(rule, () => environmentsNamed(this.#database, names));
  }

  /** Of all connectors that these attempts may use, by name. */
  async #addresses(leases: readonly LeaseRef[]): Promise<ReadonlyMap<string, string>> {
    const names = new Set(leases.flatMap((lease) => this.#connectorsOf(this.#waiting(lease)?.row)));
    if (names.size === 0) return new Map();
    const rule = { party: this.name, deadlineMs: LOOK_MS, isRepeatable: true, failureOf: d1Failure };
    const found = await called(rule, () => connectorsNamed(this.#database, [...names]));
    return new Map([...found].flatMap(([name, one]) => (one === null ? [] : [[name, one.url] as const])));
  }

  #connectorsOf(row: RunRow | undefined): string[] {
    if (row === undefined) return [];
    return this.#parts.definitions.atRevision(row.doc.routine.revision).connectors.map(nameOfConnector);
  }

  async #inputOf(
    lease: LeaseRef,
    found: ReadonlyMap<string, Environment | null>,
    addresses: ReadonlyMap<string, string>,
  ): Promise<RunInput | null> {
    const waiting = this.#waiting(lease);
    if (waiting === null) return null;
    const { name, row } = waiting;
    const environment = found.get(name);
    if (environment === undefined) return fault("environment_unknown", name);
    if (environment === null) return fault("environment_unreadable", name);
    if (environment.status === "archived") return fault("environment_archived", name);
    const kept = keptEnvironment(environment, this.#parts.definitions.atRevision(row.doc.routine.revision));
    if (hasTooMuch(kept)) return { type: "environment_fault", error: runError("variables_too_long", "provisioning") };
    const error = await this.#environments.faultOf(kept, row.doc.routine_id);
    if (error !== null) return { type: "environment_fault", error };
    const own = this.#connectorsOf(row).flatMap((one) => {
      const url = addresses.get(one);
      return url === undefined ? [] : [[one, url] as const];
    });
    const connectors = own.length === 0 ? {} : { connectors: Object.fromEntries(own) };
    return { type: "environment", environment: { ...kept, ...connectors } };
  }

  #tellWaiting(refs: readonly string[]): void {
    const untold = refs.filter((ref) => !this.#told.has(ref));
    if (untold.length === 0) return;
    this.#parts.work.change((tx) => {
      for (const ref of untold) {
        const row = this.#waiting(leaseOf(ref))?.row;
        if (row !== undefined) {
          this.#parts.engine.append(tx, row, [{ type: "run.step", phase: "provisioning", message: WAITS }]);
        }
      }
    });
    for (const ref of untold) this.#told.add(ref);
  }
}

function fault(
  code: "environment_unknown" | "environment_archived" | "environment_unreadable",
  name: string,
): RunInput {
  return { type: "environment_fault", error: runError(code, "provisioning", `It is called "${name}".`) };
}
