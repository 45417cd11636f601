/** What every place that keeps the values of secrets has to do. */
import { describe, expect, it } from "vitest";
import type { SourceAnswer, SourceFault } from "#instance/secrets/secret-source.ts";

/** A place with one secret, as a test sets it. */
export interface SourceBed {
  /** Gives the secret another value; null deletes it. Not every place can keep everything. */
  set(value: unknown): void | Promise<void>;
  /** Reads it as another attempt does. */
  read(): Promise<SourceAnswer>;
  /** By their names: has the place behave so from now on. */
  faults: Record<string, { begin(): void | Promise<void>; fault: SourceFault }>;
  /** What must be in no answer beside the value. */
  credentials: string[];
}

const VALUES = ["x", "a value", "ünïcödé 🔑", "line\nline\r\n", '{"json":"in it"}', "x".repeat(65_536)];

export function secretSource(name: string, open: () => SourceBed, canKeepAnything: boolean): void {
  describe(name, () => {
    it.each(VALUES)("gives a value as it was set", async (value) => {
      const bed = open();
      await bed.set(value);
      expect(await bed.read()).toEqual({ ok: true, value });
    });

    it("gives the value of this moment", async () => {
      const bed = open();
      for (const value of ["first", "second"]) {
        await bed.set(value);
        expect(await bed.read()).toEqual({ ok: true, value });
      }
    });

    const others = [7, true, null, ["text"], { text: "text" }, "", "nul\0", "x".repeat(65_537)];
    it.runIf(canKeepAnything).each(others)("refuses what no variable can be: %#", async (value) => {
      const bed = open();
      await bed.set(value);
      const answer = await bed.read();
      expect(answer).toMatchObject({ ok: false, fault: "unreadable" });
      expect(JSON.stringify(answer).length).toBeLessThan(200);
    });

    it.each(Object.entries(open().faults).map(([fault]) => fault))("tells when it is: %s", async (at) => {
      const bed = open();
      await bed.set("canary-of-the-source");
      await bed.read();
      const { begin, fault } = bed.faults[at] ?? {};
      await begin?.();
      const answer = await bed.read();
      expect(answer).toMatchObject({ ok: false, fault });
      expect(answer).toHaveProperty("detail", expect.stringMatching(/^[A-Z].*\.$/));
      for (const hidden of ["canary-of-the-source", ...bed.credentials]) {
        expect(JSON.stringify(answer)).not.toContain(hidden);
      }
    });
  });
}
