/**
 * `npm run rebuild-index`: makes D1's lists again from what the routines' objects own. Of the local instance that is on, or of
 * the one at `--url`, with its OWNER_TOKEN in the environment. It may be done at any time, and again.
 */
import path from "node:path";
import { type RebuildStep, rebuildStepSchema } from "#protocol/index-rebuild.ts";
import { callApi, outcomeOf } from "./instance/api.ts";
import { type Instance, instanceOf } from "./instance/instance-of.ts";
import { type Outcome, succeeded } from "./outcome.ts";
import { complain, say } from "./terminal.ts";

/** A step asks twenty objects, each of which has eight seconds. */
const STEP_DEADLINE_MS = 30_000;

process.exit(await main(path.dirname(import.meta.dirname)));

async function main(root: string): Promise<number> {
  const instance = await instanceOf(root);
  const rebuilt = instance.ok ? await rebuild(instance.value) : instance;
  if (!rebuilt.ok) {
    complain(rebuilt.message);
    return 1;
  }
  const { routines, runs, forgotten, failed: left } = rebuilt.value;
  say(`Entries written: ${routines}. Entries of deleted routines taken out: ${forgotten}.`);
  say(`Runs that their routines now write: ${runs}. Lists have them within minutes.`);
  for (const { routine_id, why } of left) complain(`${routine_id} is left as it was: ${why}.`);
  if (left.length > 0) complain("Repeat the command for those: what is done already does no harm.");
  return left.length > 0 ? 1 : 0;
}

async function rebuild({ url, token }: Instance): Promise<Outcome<Omit<RebuildStep, "next_cursor">>> {
  const sum = { routines: 0, runs: 0, forgotten: 0, failed: [] as RebuildStep["failed"] };
  for (let cursor: string | null = ""; cursor !== null; ) {
    const order = { method: "POST", path: "/api/v1/instance/index/rebuild", token, answer: rebuildStepSchema } as const;
    const body: { cursor?: string } = cursor === "" ? {} : { cursor };
    const call = callApi(url, { ...order, body, deadlineMs: STEP_DEADLINE_MS }, new AbortController().signal);
    const step: Outcome<RebuildStep> = outcomeOf("A step of the rebuild", await call);
    if (!step.ok) return step;
    sum.routines += step.value.routines;
    sum.runs += step.value.runs;
    sum.forgotten += step.value.forgotten;
    sum.failed.push(...step.value.failed);
    cursor = step.value.next_cursor;
  }
  return succeeded(sum);
}
