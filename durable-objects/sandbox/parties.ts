/** Whom a container's object calls: its pool, and the run that its container works on. Each has a time to answer in. */
import { requireConfig } from "#instance/config.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { ContainerReport, RoutineForObjects, WarmReport } from "#instance/object-contracts.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { type InNameOf, poolObject, routineObject } from "#instance/objects.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";

type Run = InNameOf<RoutineForObjects>;

const REPORT_MS = 5_000;

export class Parties {
  readonly #env: ObjectEnv;

  constructor(env: ObjectEnv) {
    this.#env = env;
  }

  /** @param pool its name. @returns null when it could not be told. */
  async report(pool: string, report: ContainerReport): Promise<"held" | "unknown" | null> {
    try {
      return await withinDeadline(this.#pool(pool).hearContainer(report), REPORT_MS, "the pool");
    } catch (error) {
      logTrouble("container_call_failed", { ...report.lease, call: "report" }, error);
      return null;
    }
  }

  /** @param pool its name. @returns null when it could not be told. */
  async reportWarm(pool: string, report: WarmReport): Promise<"held" | "unknown" | null> {
    try {
      return await withinDeadline(this.#pool(pool).hearWarm(report), REPORT_MS, "the pool");
    } catch (error) {
      logTrouble("warm_container_failed", { container: report.name, call: "report" }, error);
      return null;
    }
  }

  /** @returns null when the run could not be asked. */
  async ask<Answer>(call: string, lease: LeaseRef, ask: (run: Run) => Promise<Answer>): Promise<Answer | null> {
    try {
      const run = routineObject(this.#env, requireConfig(this.#env).jurisdiction, lease.run_id);
      return await withinDeadline(ask(run), REPORT_MS, "the run");
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call }, error);
      return null;
    }
  }

  #pool(name: string) {
    return poolObject(this.#env, requireConfig(this.#env).jurisdiction, name);
  }
}
