/**
 * `npm run bench -- [row…] [--rounds 9] [--json FILE] [--strict]`: measures the rows, each beside its baseline, and prints a
 * table of medians.
 * Exits with 0 when all could be measured; with --strict only when every goal is reached.
 * `npm run bench -- [row…] --against DIR [--rounds 5]`: measures them here and in another checkout in turn, and exits with 1
 * when a figure became worse.
 */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { compareWith } from "./against.ts";
import { asJson, asTable, type MeasuredRow } from "./report.ts";
import { isReached, ROUNDS, type Row } from "./row.ts";
import { cancel } from "./rows/cancel.ts";
import { clock } from "./rows/clock.ts";
import { clockShapes } from "./rows/clock-shapes.ts";
import { cloneBundle } from "./rows/clone-bundle.ts";
import { cloneCache } from "./rows/clone-cache.ts";
import { containerStart } from "./rows/container-start.ts";
import { deliveryToRun } from "./rows/delivery-to-run.ts";
import { fanOut } from "./rows/fan-out.ts";
import { fire } from "./rows/fire.ts";
import { firstEvent } from "./rows/first-event.ts";
import { ingest } from "./rows/ingest.ts";
import { installation } from "./rows/installation.ts";
import { longBodies } from "./rows/long-bodies.ts";
import { memory } from "./rows/memory.ts";
import { monorepo } from "./rows/monorepo.ts";
import { reconnect } from "./rows/reconnect.ts";
import { rowsWritten } from "./rows/rows-written.ts";
import { runList } from "./rows/run-list.ts";
import { setupCache } from "./rows/setup-cache.ts";
import { startUp } from "./rows/start-up.ts";
import { webhooks } from "./rows/webhooks.ts";
import { wordsAtOnce } from "./rows/words-at-once.ts";
import { machineFacts } from "./support/machine.ts";
import { ROOT, scratchPath } from "./support/scratch.ts";
import { servedBy } from "./support/served.ts";

/** Of two checkouts: each is a run of a row with rounds of its own. */
const ROUNDS_AGAINST = 5;

/** In the order of the table. */
const ROWS: readonly Row[] = [
  installation,
  startUp,
  fire,
  webhooks,
  deliveryToRun,
  firstEvent,
  wordsAtOnce,
  cancel,
  containerStart,
  setupCache,
  cloneCache,
  cloneBundle,
  monorepo,
  ingest,
  fanOut,
  reconnect,
  runList,
  rowsWritten,
  clock,
  clockShapes,
  memory,
  longBodies,
];

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "string", default: path.join(ROOT, ".reveille", "bench.json") },
      strict: { type: "boolean", default: false },
      against: { type: "string" },
      rounds: { type: "string" },
    },
  });
  const unknown = positionals.filter((id) => ROWS.every((row) => row.id !== id));
  if (unknown.length > 0) {
    console.error(`No such row: ${unknown.join(", ")}. There are: ${ROWS.map(({ id }) => id).join(", ")}.`);
    return 2;
  }
  const chosen = ROWS.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && !(Number.isInteger(rounds) && rounds > 0)) {
    console.error(`--rounds is a whole number above zero, not ${values.rounds}.`);
    return 2;
  }
  if (values.against !== undefined)
    return compareWith({
      rows: chosen.map(({ id }) => id),
      here: ROOT,
      against: values.against,
      rounds: rounds ?? ROUNDS_AGAINST,
      scratch: scratchPath("against.json"),
    });
  const measured: MeasuredRow[] = [];
  for (const row of chosen) measured.push(await measure(row, rounds));
  const facts = await machineFacts(servedBy());
  console.log(`\n${asTable(facts, measured)}`);
  await mkdir(path.dirname(values.json), { recursive: true });
  await writeFile(values.json, asJson(facts, measured));
  console.log(`\nAs JSON: ${values.json}`);
  const isMissed = measured.some(({ figures }) => figures.some((figure) => isReached(figure) === false));
  return values.strict && isMissed ? 1 : 0;
}

async function measure(row: Row, rounds: number | null): Promise<MeasuredRow> {
  const { id, title, baseline, lacks } = row;
  const startedAt = performance.now();
  process.stdout.write(`${id}: ${title}; baseline: ${baseline} … `);
  const lacking = lacks?.() ?? null;
  if (lacking !== null) {
    console.log(`not measured: ${lacking}`);
    return { id, title, baseline, figures: [], seconds: 0 };
  }
  const figures = await row.measure(rounds ?? row.rounds ?? ROUNDS);
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`${seconds.toFixed(0)} s`);
  return { id, title, baseline, figures, seconds };
}
