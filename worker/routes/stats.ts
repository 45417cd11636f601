/** How runs went: counts, error rate, durations and cost, of all routines or some. */
import { z } from "zod";
import { refuse, success } from "#protocol/errors.ts";
import { routineIdSchema } from "#protocol/ids.ts";
import { STATS_DAYS, statsSchema } from "#protocol/stats.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { momentField, tagFilter } from "./inputs.ts";

const DAY_MS = 86_400_000;

const statsQuery = z.object({
  routine: routineIdSchema.optional(),
  tag: tagFilter.optional(),
  from: momentField.optional().meta({
    description: `Runs that were admitted then or later; ${STATS_DAYS.default} days before \`to\` where it is left out.`,
  }),
  to: momentField.optional().meta({ description: "Runs that were admitted before; now where it is left out." }),
});

export function mountStats(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/stats",
      tag: "Runs",
      id: "readStats",
      summary: "Tell how runs went: counts, error rate, durations and cost",
      description: "Read from the index. Tags are those that the routines have now.",
      needs: "runs:read",
      query: statsQuery,
      answer: { status: 200, schema: statsSchema },
    },
    async ({ c, query: { routine, tag, from, to } }) => {
      const toMs = to ?? Date.now();
      const fromMs = from ?? toMs - STATS_DAYS.default * DAY_MS;
      if (fromMs >= toMs || toMs - fromMs > STATS_DAYS.max * DAY_MS) {
        const message = `from: must be before to, and at most ${STATS_DAYS.max} days`;
        return refuse("invalid_request", { field: "from", message });
      }
      return success(await c.var.deps.index.stats({ routineId: routine, tag, fromMs, toMs }));
    },
  );
}
