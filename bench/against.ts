/** `npm run bench -- [row…] --against DIR`: another checkout's bench and this one's, each in processes of its own, in turn. */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { runCommand } from "#scripts/child-process.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import { type ComparedRow, compareRow, comparisonTable, isAnyWorse } from "./compare.ts";
import { UNITS } from "./row.ts";
import { interleave } from "./support/interleave.ts";

const INSTALL_DEADLINE_MS = 16 * 60_000;
const ROW_DEADLINE_MS = 20 * 60_000;
const ASK_DEADLINE_MS = 60_000;
/** Of a row in one run: the runs are the rounds that count here. */
const ROUNDS_OF_EACH = 3;
/** No row has this name: asked for it, a bench tells which rows there are. */
const NO_ROW = "none";

const goalSchema = z.object({ bound: z.enum(["at most", "at least"]), value: z.number() });
const figureSchema = z.object({
  what: z.string(),
  unit: z.enum(UNITS),
  ours: z.number(),
  baseline: z.number().nullable(),
  goal: goalSchema.nullable(),
});
const measuredSchema = z.object({ rows: z.tuple([z.object({ figures: z.array(figureSchema) })]) });

export interface Comparing {
  /** The ids of rows. */
  rows: readonly string[];
  /** The roots of two checkouts. */
  here: string;
  against: string;
  rounds: number;
  /** The file into which each run writes what it has measured. */
  scratch: string;
}

/**
 * Measures each row in both checkouts, `rounds` times, and prints a table of medians.
 * @returns the exit code: 0 when no figure became worse, 1 when one did or could not be measured, 2 when nothing was.
 */
export async function compareWith({ rows, here, against, rounds, scratch }: Comparing): Promise<number> {
  const other = path.resolve(against);
  const theirs = await rowsOf(other);
  if (typeof theirs === "string") {
    console.error(theirs);
    return 2;
  }
  for (const id of rows.filter((one) => !theirs.includes(one)))
    console.log(`${id}: the other checkout has no such row.`);
  const compared: ComparedRow[] = [];
  const failures: string[] = [];
  for (const id of rows.filter((one) => theirs.includes(one))) {
    const row = await compareOne(id, { here, other, rounds, scratch }).catch((error: Error) => error);
    if (row instanceof Error) failures.push(`${id}: ${row.message}`);
    else {
      compared.push(row);
      console.log(`\n${comparisonTable([row])}\n`);
    }
  }
  console.log(`\nMedians of ${rounds}. Before: ${other}; after: ${here}.`);
  if (compared.length > 1) console.log(`\n${comparisonTable(compared)}`);
  for (const failure of failures) console.error(`\nNot measured: ${failure}`);
  return failures.length > 0 || isAnyWorse(compared) ? 1 : 0;
}

async function compareOne(
  id: string,
  { here, other, rounds, scratch }: { here: string; other: string; rounds: number; scratch: string },
): Promise<ComparedRow> {
  console.log(`${id}: rounds in each checkout, in turn: ${rounds}`);
  const startedAt = performance.now();
  const sides = await interleave(
    rounds,
    () => measureIn(here, id, scratch),
    () => measureIn(other, id, scratch),
    0,
  ).finally(() => console.log(`${id}: ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`));
  return compareRow(id, sides.baseline, sides.ours);
}

/** One run of a row by a checkout's own bench. @throws Error that says what went wrong where. */
async function measureIn(root: string, id: string, scratch: string) {
  const rounds = ["--rounds", String(ROUNDS_OF_EACH)];
  const parts = ["--disable-warning=ExperimentalWarning", "bench/main.ts", id, "--json", scratch, ...rounds];
  // What the run before has written is not to be taken for this one's.
  await rm(scratch, { force: true });
  const ran = await node(root, parts, ROW_DEADLINE_MS);
  if (!ran.ok) throw new Error(`in ${root}: ${ran.message}`);
  return measuredSchema.parse(JSON.parse(await readFile(scratch, "utf8"))).rows[0].figures;
}

/** The rows of a checkout, which is made ready first; or, as a text, what is missing there and what to do. */
async function rowsOf(root: string): Promise<string[] | string> {
  if (!existsSync(path.join(root, "bench/main.ts")))
    return `${root} is no checkout of this project with a bench: make one with "git worktree add DIR COMMIT".`;
  const installed = await node(root, ["scripts/ensure-installed.mjs"], INSTALL_DEADLINE_MS);
  if (!installed.ok) return `${root} can't be measured: ${installed.message}`;
  const told = await node(root, ["bench/main.ts", NO_ROW], ASK_DEADLINE_MS);
  const listed = told.ok ? undefined : /There are: (.+)\./.exec(told.message)?.[1];
  return listed?.split(", ") ?? `The bench of ${root} does not tell its rows. ${told.ok ? "" : told.message}`;
}

function node(root: string, parts: string[], deadlineMs: number) {
  return runCommand(process.execPath, parts, { cwd: root, env: toolEnvironment(), deadlineMs });
}
