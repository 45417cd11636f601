/** Counts what the whole instance lets in. One object; it stores nothing. */
import { DurableObject } from "cloudflare:workers";
import { requireConfig } from "#instance/config.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { MINUTE_MS, MinuteCount } from "#rules/gate/minute-count.ts";
import { type GateAnswer, type GateReport, takeReport } from "#rules/gate/take-report.ts";

export class GateObject extends DurableObject<ObjectEnv> {
  readonly #count = new MinuteCount();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Counts the requests that an isolate has let in, and says how many of those that wait it may let in. */
  count(report: GateReport): GateAnswer {
    const nowMs = Date.now();
    const answer = takeReport(this.#count, report, requireConfig(this.env).instanceRatePerMinute, nowMs);
    this.#stayAwake();
    return answer;
  }

  /**
   * The platform evicts an idle object after ten seconds, and its count would be lost: a timer keeps it in memory for a
   * minute.
   */
  #stayAwake(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#count.forget(Date.now());
      if (this.#count.total > 0) this.#stayAwake();
    }, MINUTE_MS);
  }
}
