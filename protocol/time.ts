/** Times as they cross a boundary: RFC 3339, UTC, milliseconds. Inside, a time is a number of Unix milliseconds. */
import { z } from "zod";

export const timestampSchema = z.iso
  .datetime({ precision: 3 })
  .meta({ id: "Timestamp", description: "RFC 3339, UTC, with milliseconds.", examples: ["2026-11-21T09:00:00.000Z"] });

/** @param ms Unix milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** The day of a moment, in UTC: for instance `2026-11-22`. */
export function dayOf(ms: number): string {
  return timestamp(ms).slice(0, "2026-11-22".length);
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const DURATION = /^([1-9][0-9]{0,5})(ms|s|m|h|d)$/;

/** A duration as people write it: `500ms`, `30s`, `60m`, `2h`, `1d`. */
export const durationSchema = z
  .string()
  .regex(DURATION, 'must be a number and a unit (ms, s, m, h, d), for example "30s" or "60m"')
  .meta({ id: "Duration", examples: ["30s", "60m", "2h"] });

/** @returns milliseconds. @throws RangeError on a text that `durationSchema` refuses. */
export function durationMs(text: string): number {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  if (amount === undefined || unit === undefined) throw new RangeError(`"${text}" is not a duration`);
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** A duration within bounds. @param minimum for example `1s`. */
export function boundedDuration(minimum: string, maximum: string) {
  const isWithin = (text: string) => durationMs(text) >= durationMs(minimum) && durationMs(text) <= durationMs(maximum);
  // zod goes on to this check when the one for the form has failed: that fault is told already.
  return durationSchema.refine((text) => !durationSchema.safeParse(text).success || isWithin(text), {
    error: `must be from ${minimum} to ${maximum}`,
    params: { tells: "found" },
  });
}
