/** From the request that cancels a run until the last process of its sandbox is gone. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { fireAnswerSchema } from "#protocol/api.ts";
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import type { Row } from "../row.ts";
import type { BareAgent } from "../support/bare-agent.ts";
import { nowMs } from "../support/clock.ts";
import { Helper } from "../support/helper.ts";
import { compared, interleave } from "../support/interleave.ts";
import { goneAt, markOf, workersOf } from "../support/processes.ts";
import { ask, type BenchRoutine, makeRoutine } from "../support/reveille.ts";
import { scratchPath } from "../support/scratch.ts";
import { type Served, serveReveille } from "../support/served.ts";
import { startRunner } from "../support/warm-runner.ts";

const runsPage = z.object({ data: z.array(z.object({ id: z.string() })) });

export const cancel: Row = {
  id: "cancel",
  title: "from POST …/cancel until the last process of the run's sandbox is gone",
  baseline: "SIGKILL to the process group of a sandbox that does the same",
  measure: async (rounds) => {
    await using stack = new AsyncDisposableStack();
    // The agent holds on to a command until it is stopped.
    let name = "";
    const model = await createMessagesServer({
      reply: () => ({
        kind: "message",
        toolCalls: [{ name: "Bash", input: { command: `exec -a ${name} tail -f /dev/null`, description: "Wait" } }],
      }),
    });
    stack.defer(() => model.close());
    const served = stack.use(await serveReveille({ DEMO_MODEL_URL: model.url }));
    const runner = stack.use(await startRunner(served));
    const bare = stack.use(new Helper<BareAgent>("bare-agent.ts"));
    await bare.ask("prepare", { stateFolder: scratchPath("bare"), model: model.url, git: model.url });
    const routine = await makeRoutine(served);
    const times = await interleave(
      rounds,
      async () => {
        await runner.warm();
        name = `held-${randomUUID()}`;
        return await cancelRun(served, routine, name);
      },
      () => bare.ask("hold", { name: `held-${randomUUID()}` }),
    );
    return [
      {
        what: "until the last process is gone",
        unit: "ms",
        ...compared(times, (ms) => ms),
        goal: null,
      },
    ];
  },
};

/** @param name of the command that its agent runs. @returns milliseconds. */
async function cancelRun(served: Served, { id, fireToken }: BenchRoutine, name: string): Promise<number> {
  const fired = await fetch(`${served.url}/v1/claude_code/routines/${id}/fire`, {
    method: "POST",
    headers: { authorization: `Bearer ${fireToken}`, "content-type": "application/json" },
    body: "{}",
  });
  fireAnswerSchema.parse(await fired.json());
  const workers = workersOf(await markOf(name));
  const { data } = await ask(served, "GET", `/api/v1/runs?routine_id=${id}&limit=1`, runsPage);
  const startedAt = nowMs();
  const canceled = fetch(`${served.url}/api/v1/runs/${data[0]?.id}/cancel`, {
    method: "POST",
    headers: { authorization: `Bearer ${served.ownerToken}` },
  });
  const gone = await goneAt(workers);
  await canceled;
  return gone - startedAt;
}
