/** Routines, and what is saved of them. */
import type { z } from "zod";
import {
  fireAnswerSchema,
  fireInputSchema,
  pauseInputSchema,
  routineTokenInputSchema,
  routineTokenSchema,
  runNowInputSchema,
} from "#protocol/api.ts";
import { draftedSchema, draftInputSchema, draftingSchema } from "#protocol/draft.ts";
import { occurrenceSchema } from "#protocol/occurrence.ts";
import {
  listedRoutineSchema,
  ROUTINE_DEFAULTS,
  revisionSchema,
  routineInputSchema,
  routinePatchSchema,
  routineSchema,
} from "#protocol/routine.ts";
import {
  schedulePreviewInputSchema,
  schedulePreviewSchema,
  triggerTrialInputSchema,
  triggerTrialsSchema,
} from "#protocol/trigger-preview.ts";
import { validationSchema } from "#protocol/warning.ts";
import { example } from "./example.ts";
import {
  DELIVERY_ID,
  EARLIER,
  FINISHED_AT,
  NEXT_AT,
  OCCURRENCE_ID,
  OWNER,
  QUEUED_AT,
  REPOSITORY,
  ROUTINE_ID,
  RUN_ID,
  RUNNING_AT,
  SESSION_ID,
  SPOKE_AT,
  STARTING_AT,
  TRIGGER_ID,
} from "./ids.ts";

const PROMPT =
  "Compare what was merged this week with the documentation, and open a pull request with what is missing.";
const SCHEDULE = { type: "schedule", cron: "0 10 * * 1", timezone: "Europe/Paris", catch_up: "latest" } as const;

const definition = {
  name: "docs-sync",
  prompt: PROMPT,
  model: null,
  repositories: [{ url: REPOSITORY, push: "prefix" as const }],
  push_prefix: ROUTINE_DEFAULTS.push_prefix,
  session: ROUTINE_DEFAULTS.session,
  session_key: null,
  overlap: ROUTINE_DEFAULTS.overlap,
  max_concurrent: ROUTINE_DEFAULTS.max_concurrent,
  runs_on: ROUTINE_DEFAULTS.runs_on,
  environment: ROUTINE_DEFAULTS.environment,
  variables: {},
  network: { allow: [] },
  connectors: ["linear"],
  context_from: [],
  gate: { connector: "linear", tool: "list_issues", arguments: { state: "triage" }, when: "count > 0" },
  tools: { deny: [], ask: [] },
  notify: [{ on: ["failed" as const], skip: [], slack: "{{SLACK_URL}}" }],
  limits: ROUTINE_DEFAULTS.limits,
  retry: ROUTINE_DEFAULTS.retry,
  tags: { team: "docs" },
  triggers: [{ id: TRIGGER_ID, ...SCHEDULE }],
};

const routine = {
  ...definition,
  triggers: [{ id: TRIGGER_ID, ...SCHEDULE, status: "active" as const, next_fire_times: [NEXT_AT], endpoint: null }],
  id: ROUTINE_ID,
  revision: 1,
  status: "active" as const,
  paused_reason: null,
  warnings: [],
  has_token: false,
  token_may_read: false,
  created_at: EARLIER,
  updated_at: EARLIER,
};

const input: z.input<typeof routineInputSchema> = {
  name: "docs-sync",
  prompt: PROMPT,
  repositories: [{ url: REPOSITORY }],
  notify: [{ on: ["failed"], slack: "{{SLACK_URL}}" }],
  tags: { team: "docs" },
  triggers: [SCHEDULE],
};

const lastRun = {
  id: RUN_ID,
  routine_id: ROUTINE_ID,
  session_id: SESSION_ID,
  status: "succeeded" as const,
  result: "done" as const,
  summary: "Two pages were behind; a pull request brings them up to date.",
  error: null,
  timings: {
    queued_at: QUEUED_AT,
    starting_at: STARTING_AT,
    running_at: RUNNING_AT,
    first_event_at: SPOKE_AT,
    finished_at: FINISHED_AT,
  },
};

export const ROUTINE_EXAMPLES = [
  example(routineInputSchema, input),
  example(routinePatchSchema, { overlap: "queue", limits: { timeout: "30m" }, if_revision: 1 }),
  example(routineSchema, routine),
  example(listedRoutineSchema, { ...routine, last_run: lastRun, next_fire_at: NEXT_AT }),
  example(revisionSchema, { revision: 1, at: EARLIER, actor: OWNER, by: OWNER.name, definition }),
  example(pauseInputSchema, { reason: "While the documentation moves." }),
  example(runNowInputSchema, { text: "Look at the page on webhooks alone." }),
  example(fireInputSchema, { text: "The deploy of 4.2 has ended." }),
  example(fireAnswerSchema, {
    type: "routine_fire",
    claude_code_session_id: SESSION_ID,
    claude_code_session_url: `https://reveille.example.com/sessions/${SESSION_ID}`,
    run_id: RUN_ID,
  }),
  example(routineTokenInputSchema, { may_read: true }),
  example(routineTokenSchema, {
    token: "(shown once)",
    fire_url: `https://reveille.example.com/v1/claude_code/routines/${ROUTINE_ID}/fire`,
  }),
  example(occurrenceSchema, {
    id: OCCURRENCE_ID,
    routine_id: ROUTINE_ID,
    at: QUEUED_AT,
    trigger: { type: "schedule", id: TRIGGER_ID, summary: "Scheduled for 2026-11-23 10:00 Europe/Paris" },
    outcome: "started",
    reason: "admitted",
    run_id: RUN_ID,
  }),
  example(validationSchema, {
    faults: [{ field: "triggers[0].timezone", message: 'must be a time zone such as "Europe/Paris"' }],
    warnings: [],
    next: [],
  }),
  example(draftInputSchema, {
    text: "Every Monday at ten, compare what was merged with the docs, and open a pull request.",
    answers: [{ question: "Which repository has the docs?", answer: REPOSITORY }],
    timezone: "Europe/Paris",
  }),
  example(draftedSchema, {
    draft: routineInputSchema.parse(input),
    questions: ["Who is told when it fails?"],
    warnings: [],
    model: "claude-sonnet-5",
    usage: { calls: 1, input_tokens: 7_400, output_tokens: 420, cost_usd: 0.019 },
  }),
  example(draftingSchema, { available: true, model: "claude-sonnet-5", max_cost_usd: 0.49 }),
  example(schedulePreviewInputSchema, { trigger: SCHEDULE, count: 1 }),
  example(schedulePreviewSchema, { next_fire_times: [NEXT_AT] }),
  example(triggerTrialInputSchema, {
    trigger: { type: "github", event: "pull_request", actions: ["opened"] },
    repositories: [{ url: REPOSITORY }],
  }),
  example(triggerTrialsSchema, {
    data: [
      {
        delivery_id: DELIVERY_ID,
        received_at: QUEUED_AT,
        event: "pull_request",
        action: "opened",
        summary: "acme/docs#41: Describe retries",
        matched: true,
        starts: true,
        why: "It fits.",
        filters: [],
      },
    ],
    next_cursor: null,
  }),
];
