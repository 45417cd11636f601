/** Triggers before they are saved: when a schedule fires, what GitHub tells of, and what a trigger makes of what came. */
import { z } from "zod";
import { type Refusal, refuse, success } from "#protocol/errors.ts";
import { timestamp } from "#protocol/time.ts";
import {
  schedulePreviewInputSchema,
  schedulePreviewSchema,
  triggerTrialInputSchema,
  triggerTrialsSchema,
} from "#protocol/trigger-preview.ts";
import { nextSlots, scheduleFault } from "#rules/schedules/schedule.ts";
import { prepareTriggers } from "#rules/triggers/prepare-triggers.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";
import { GITHUB_CATEGORIES } from "../inbound/sources/github/categories.ts";
import { namedFieldsOf } from "../inbound/sources/github/field-names.ts";
import { tryTrigger } from "../inbound/try-trigger.ts";

const fieldSchema = z.object({ field: z.string(), what: z.string() });
const githubEvents = withExample(
  z
    .object({
      data: z.array(
        z.object({
          event: z.string(),
          title: z.string(),
          actions: z.array(z.string()).meta({ description: "None where GitHub tells none." }),
          fields: z.array(fieldSchema).meta({ description: "Besides dotted paths into the payload." }),
        }),
      ),
      next_cursor: z.null(),
    })
    .meta({ id: "GithubEvents" }),
  {
    data: [
      {
        event: "pull_request",
        title: "Pull requests",
        actions: ["opened", "closed"],
        fields: [{ field: "base_branch", what: "The branch that it is to be merged into." }],
      },
    ],
    next_cursor: null,
  },
);

/** What a trigger and its routine are called while they are not saved: no event names either. */
const UNSAVED_TRIGGER = `trg_${"0".repeat(26)}`;
const UNSAVED_ROUTINE = `rtn_${"0".repeat(26)}`;

export function mountTriggerPreviews(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/github/events",
      tag: "Webhooks",
      needs: "routines:read",
      id: "listGithubEvents",
      summary: "List the events of GitHub's that people choose among, with their actions and named fields",
      description: "Any other event of GitHub's can be waited for by its name too.",
      answer: { status: 200, schema: githubEvents },
    },
    async () =>
      success({
        data: GITHUB_CATEGORIES.map(({ event, title, actions }) => ({
          event,
          title,
          actions: [...actions],
          fields: [...namedFieldsOf(event)],
        })),
        next_cursor: null,
      }),
  );
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/triggers/schedule-times",
      tag: "Routines",
      needs: "routines:read",
      id: "previewSchedule",
      summary: "Tell when a schedule would fire next, without saving it",
      body: { schema: schedulePreviewInputSchema, optional: false },
      answer: { status: 200, schema: schedulePreviewSchema },
    },
    async ({ body: { trigger, count } }) => {
      const nowMs = Date.now();
      const fault = scheduleFault(trigger, nowMs, { refusePast: true });
      if (fault !== null) {
        const field = `trigger.${fault.field}`;
        const issues = [{ field, message: fault.message }];
        return refuse("invalid_request", { field, message: `${field}: ${fault.message}`, issues });
      }
      return success({ next_fire_times: nextSlots(trigger, nowMs, count).map(timestamp) });
    },
  );
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/triggers/try",
      tag: "Routines",
      needs: "routines:write",
      id: "tryTrigger",
      summary: "Try a trigger, saved or not, on the last deliveries, without firing",
      description:
        "Those of its event, or of its endpoint. What has come from a run of the routine's own is told as such.",
      body: { schema: triggerTrialInputSchema, optional: false },
      answer: { status: 200, schema: triggerTrialsSchema },
    },
    async ({ c, body }) => {
      const { id = UNSAVED_TRIGGER, ...written } = body.trigger;
      const prepared = prepareTriggers([written], [], () => id, Date.now());
      if (!prepared.ok) return { ok: false, refusal: asOne(prepared.refusal) };
      const [trigger] = prepared.value;
      if (trigger === undefined) return success({ data: [], next_cursor: null });
      const routine = { id: body.routine_id ?? UNSAVED_ROUTINE, repositories: body.repositories };
      const tried = await tryTrigger(c.var.deps, trigger, routine);
      return tried.ok ? success({ data: tried.value, next_cursor: null }) : tried;
    },
  );
}

/** The rules speak of the first of a list. */
function asOne({ issues = [], ...refusal }: Refusal): Refusal {
  const plain = (text: string) => text.replace("triggers[0]", "trigger");
  return {
    ...refusal,
    ...(refusal.message === undefined ? {} : { message: plain(refusal.message) }),
    ...(refusal.field === undefined ? {} : { field: plain(refusal.field) }),
    issues: issues.map(({ field, message }) => ({ field: plain(field), message })),
  };
}
