/** Records of runs: whatever version stored one, it is read as this version's, and shown without what is not to be shown. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { listedRunSchema, runSchema } from "#protocol/run.ts";
import { newRecord, readRecord, recordText, showListed, showRun } from "#rules/run/record.ts";
import { STATES } from "./support/run-states.ts";

const ROOT = "test/fixtures/states";

/** Runs as D1 had them in the state of a landed version, as they were stored. */
function storedRuns(state: string): string[] {
  return readFileSync(`${ROOT}/${state}/d1.sql`, "utf8")
    .split("\n")
    .filter((line) => line.startsWith('INSERT INTO "runs"'))
    .map((line) => /'(\{.*\})', \d+\);$/.exec(line)?.[1]?.replaceAll("''", "'") ?? line);
}

describe.each(readdirSync(ROOT))("runs of %s", (state) => {
  const stored = storedRuns(state);

  it("are there", () => {
    expect(stored.length).toBeGreaterThan(2);
  });

  it("are read as this version's, and shown by themselves as they were", () => {
    for (const json of stored) {
      const before = JSON.parse(json);
      const record = readRecord(json);
      expect(record).toMatchObject({ v: 3, pool: before.pool ?? "default" });
      expect(listedRunSchema.parse(showListed(record))).toEqual(showListed(record));
      expect(JSON.stringify(record)).not.toContain('"prompt"');
      const shown = showRun(record, { prompt: before.routine.prompt ?? "Do it." }, []);
      expect(runSchema.parse(shown)).toEqual(shown);
      const { v: _version, ...told } = before;
      expect(shown).toMatchObject(told);
    }
  });

  it("become records that stay as they are", () => {
    for (const json of stored) {
      const text = recordText(json);
      expect(recordText(text)).toBe(text);
      expect(readRecord(text)).toEqual(readRecord(json));
    }
  });
});

describe.each(Object.entries(STATES))("a run that is %s", (_name, { run }) => {
  it("is stored as this version's, through all that happened to it, and read back", () => {
    const text = JSON.stringify(run);
    expect(recordText(text)).toBe(text);
    expect(readRecord(text)).toEqual(run);
    expect(newRecord(showListed(run))).toEqual(run);
  });

  it("shows its prompt by itself alone", () => {
    expect(showRun(run, { prompt: "Compare." }, []).routine).toEqual({ ...run.routine, prompt: "Compare." });
    expect(Object.keys(showListed(run))).not.toContain("v");
    expect(showListed(run).routine).not.toHaveProperty("prompt");
  });
});

it("a record of a later version stays what it is, after a rollback", () => {
  const later = JSON.stringify({ ...STATES["queued"]?.run, v: 4, pool: "gpu" });
  expect(readRecord(later)).toEqual(JSON.parse(later));
  expect(recordText(later)).toBe(later);
});

it("a run is shown with the pool that it was admitted for", () => {
  for (const { run } of Object.values(STATES)) expect(showListed({ ...run, pool: "gpu" }).pool).toBe("gpu");
});
