/** Runs, sessions, and what is in them. */
import { ticketSchema } from "#protocol/api.ts";
import { artifactListSchema } from "#protocol/artifact.ts";
import { deadLetterSchema } from "#protocol/dead-letter.ts";
import { diffSchema } from "#protocol/diff.ts";
import { interruptInputSchema, messageAnswerSchema, messageInputSchema } from "#protocol/message.ts";
import { noteInputSchema, noteListSchema, noteRevisionsSchema, noteSchema } from "#protocol/note.ts";
import { openedPullRequestSchema, pullRequestInputSchema, pullRequestListSchema } from "#protocol/pull-request.ts";
import { answerInputSchema } from "#protocol/question.ts";
import { listedRunSchema, runSchema } from "#protocol/run.ts";
import { type Session, sessionPatchSchema, sessionSchema } from "#protocol/session.ts";
import { statsSchema } from "#protocol/stats.ts";
import { transcriptEventSchema } from "#protocol/transcript.ts";
import { verdictInputSchema } from "#protocol/verdict.ts";
import { liveMessageSchema, viewerMessageSchema } from "#protocol/viewer.ts";
import { example } from "./example.ts";
import {
  ARTIFACT_ID,
  COMMIT,
  ENVIRONMENT_ID,
  FINISHED_AT,
  OCCURRENCE_ID,
  OWNER,
  PARENT_COMMIT,
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

const BRANCH = "claude/retries";
const pullRequest = {
  repository: REPOSITORY,
  branch: BRANCH,
  base: "main",
  number: 42,
  url: `${REPOSITORY}/pull/42`,
};

const listedRun = {
  id: RUN_ID,
  routine_id: ROUTINE_ID,
  session_id: SESSION_ID,
  routine: { name: "docs-sync", revision: 1, model: "claude-sonnet-5" },
  trigger: {
    type: "schedule" as const,
    id: TRIGGER_ID,
    occurrence_id: OCCURRENCE_ID,
    summary: "Scheduled for 2026-11-23 10:00 Europe/Paris",
  },
  pool: "default",
  attempt: 1,
  environment: { id: ENVIRONMENT_ID, name: "default", revision: 1 },
  demo_model: false,
  usage: {
    input_tokens: 18_204,
    output_tokens: 2_310,
    cache_read_tokens: 96_400,
    cache_write_tokens: 11_020,
    cost_usd: 0.16,
    metered_cost_usd: 0.16,
  },
  evidence: {
    model_calls: 14,
    turns: 14,
    tool_calls: 21,
    files_changed: 2,
    commits_pushed: 1,
    branches_pushed: [{ repository: REPOSITORY, branch: BRANCH, commit: COMMIT, previous: null }],
  },
  cancel_requested_at: null,
  status: "succeeded" as const,
  runner: { kind: "container" as const, id: "container-1" },
  result: "done" as const,
  summary: "Two pages were behind; a branch brings them up to date.",
  error: null,
  cancel_reason: null,
  timings: {
    queued_at: QUEUED_AT,
    starting_at: STARTING_AT,
    running_at: RUNNING_AT,
    first_event_at: SPOKE_AT,
    finished_at: FINISHED_AT,
  },
};

const event = {
  seq: 7,
  at: SPOKE_AT,
  session_id: SESSION_ID,
  run_id: RUN_ID,
  type: "agent.message" as const,
  message_id: "msg_1",
  text: "Two pages don't mention retries yet.",
};

export const SESSION_EXAMPLE: Session = {
  id: SESSION_ID,
  routine_id: ROUTINE_ID,
  title: "Two pages were behind",
  archived: false,
  created_at: QUEUED_AT,
  last_seq: 48,
  runs: [{ id: RUN_ID, status: "succeeded" }],
};

const note = { name: "style", revision: 2, bytes: 26, author: OWNER, at: FINISHED_AT };
const wholeNote = { ...note, text: "Headings in sentence case." };

export const RUN_EXAMPLES = [
  example(listedRunSchema, listedRun),
  example(runSchema, { ...listedRun, routine: { ...listedRun.routine, prompt: "Compare what was merged this week." } }),
  example(answerInputSchema, { question_id: "qst_1", choice: "Yes, open it" }),
  example(verdictInputSchema, { verdict: "poor", why: "The page on limits was not looked at." }),
  example(deadLetterSchema, {
    id: OCCURRENCE_ID,
    routine_id: ROUTINE_ID,
    at: QUEUED_AT,
    trigger: { type: "api", id: null, summary: "Fired through the API" },
    outcome: "refused",
    reason: "queue_full",
    run_id: null,
    error: null,
    input: { text: "The deploy of 4.2 has ended.", checkout: null },
    fired: null,
  }),
  example(statsSchema, {
    from: "2026-11-22T00:00:00.000Z",
    to: "2026-11-23T23:59:59.999Z",
    complete_from: "2026-11-22T00:00:00.000Z",
    runs: 2,
    by_status: {
      queued: 0,
      starting: 0,
      running: 0,
      waiting: 0,
      succeeded: 1,
      failed: 1,
      timed_out: 0,
      canceled: 0,
    },
    by_result: { done: 1, nothing_to_do: 0, blocked: 0, unknown: 1 },
    error_rate: 0.5,
    duration_ms: { p50: 216_150, p95: 240_300 },
    waited_ms: { p50: 210, p95: 900 },
    cost_usd: 0.31,
    days: [{ day: "2026-11-23", runs: 2, succeeded: 1, failed: 1, canceled: 0, cost_usd: 0.31 }],
  }),
  example(sessionSchema, SESSION_EXAMPLE),
  example(sessionPatchSchema, { title: "Retries in the docs", archived: true }),
  example(messageInputSchema, { text: "Also mention the limit of tries.", id: "8c1f6d5e-1" }),
  example(messageAnswerSchema, { id: "8c1f6d5e-1", session_id: SESSION_ID, run_id: RUN_ID, duplicate: false }),
  example(interruptInputSchema, { id: "8c1f6d5e-2" }),
  example(ticketSchema, { ticket: "(good for one use, for 60 seconds)" }),
  example(transcriptEventSchema, event),
  example(liveMessageSchema, { type: "events", events: [event] }),
  example(viewerMessageSchema, { type: "ack", seq: 7 }),
  example(diffSchema, {
    session_id: SESSION_ID,
    run_id: RUN_ID,
    at: FINISHED_AT,
    repositories: [
      {
        repository: REPOSITORY,
        changes: [
          {
            kind: "branch",
            branch: BRANCH,
            base: PARENT_COMMIT,
            head: COMMIT,
            files_changed: 1,
            additions: 1,
            deletions: 0,
            files: [{ path: "webhooks.md", additions: 1, deletions: 0 }],
            patch:
              "diff --git a/webhooks.md b/webhooks.md\n--- a/webhooks.md\n+++ b/webhooks.md\n@@ -3,0 +4 @@\n+Tries are repeated.\n",
            truncated: false,
          },
        ],
      },
    ],
  }),
  example(pullRequestInputSchema, { title: "Describe retries", draft: true }),
  example(openedPullRequestSchema, {
    ...pullRequest,
    title: "Describe retries",
    draft: true,
    run_id: RUN_ID,
    was_open: false,
  }),
  example(pullRequestListSchema, {
    data: [
      {
        repository: REPOSITORY,
        branch: BRANCH,
        run_id: RUN_ID,
        asked_at: FINISHED_AT,
        asked_by: OWNER.name,
        opened: pullRequest,
      },
    ],
  }),
  example(artifactListSchema, {
    data: [
      { id: ARTIFACT_ID, run_id: RUN_ID, name: "chart.png", media_type: "image/png", bytes: 20_480, at: FINISHED_AT },
    ],
  }),
  example(noteInputSchema, { text: wholeNote.text, if_revision: 1 }),
  example(noteSchema, wholeNote),
  example(noteListSchema, { data: [note] }),
  example(noteRevisionsSchema, { data: [wholeNote] }),
];
