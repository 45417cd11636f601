/** What a destination is sent. Pure. */
import type { NotificationKind } from "#protocol/notification.ts";
import type { ListedRun } from "#protocol/run.ts";
import { timestamp } from "#protocol/time.ts";
import { type Fact, sentenceOf, typeOf } from "./notify.ts";

export interface Told {
  kind: NotificationKind;
  fact: Fact;
  routine: { id: string; name: string };
  run: ListedRun | null;
  /** Where people use the instance; null where that is not known. */
  publicUrl: string | null;
}

const SUMMARY_LIMIT = 4_000;
const BRANCHES_TOLD = 20;
const PULL_REQUESTS_TOLD = 20;

/** The body of a webhook, as Standard Webhooks recommends it. */
export function webhookBody({ kind, fact, routine, run, publicUrl }: Told): string {
  const told = run === null ? null : runFacts(run, publicUrl);
  const url = publicUrl === null ? null : new URL(`/routines/${routine.id}`, publicUrl).href;
  const data = { kind, routine: { ...routine, url }, run: told, detail: fact.detail };
  return JSON.stringify({ type: typeOf(kind, fact), timestamp: timestamp(fact.atMs), data });
}

function runFacts({ id, session_id, status, result, summary, error, evidence, usage }: ListedRun, base: string | null) {
  const {
    turns,
    tool_calls,
    files_changed,
    commits_pushed,
    branches_pushed,
    pull_requests = [],
    comments = [],
  } = evidence;
  return {
    id,
    session_id,
    status,
    result,
    summary: summary === null ? null : shortened(summary, SUMMARY_LIMIT),
    error: error === null ? null : { code: error.code, message: error.message },
    evidence: {
      turns,
      tool_calls,
      files_changed,
      commits_pushed,
      branches_pushed: branches_pushed.slice(-BRANCHES_TOLD),
      pull_requests: pull_requests.slice(-PULL_REQUESTS_TOLD),
      comments: comments.slice(-PULL_REQUESTS_TOLD),
    },
    cost_usd: usage.cost_usd,
    url: sessionUrl(session_id, base),
  };
}

/** The beginning of a text, without half of a character at its end. */
export function shortened(text: string, limit: number): string {
  return text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "");
}

export function sessionUrl(sessionId: string, base: string | null): string | null {
  return base === null ? null : new URL(`/sessions/${sessionId}`, base).href;
}

/** What Slack takes in the text of one block. */
const BLOCK_LIMIT = 3_000;
const HEADER_LIMIT = 150;

/** A button: what it says, and the signed answer that it stands for. */
export interface AnswerButton {
  label: string;
  value: string;
  style?: "primary" | "danger";
}

/** What Slack takes in a button. */
const BUTTON_LIMIT = 75;

/** A message of Block Kit. What agents and people wrote stands in it as plain text: it mentions nobody and links nothing. */
export function slackBody(
  { kind, fact, routine, run, publicUrl }: Told,
  buttons: readonly AnswerButton[] = [],
): string {
  const sentence = sentenceOf(kind, routine.name, fact);
  const url = run === null ? null : sessionUrl(run.session_id, publicUrl);
  const words = [fact.detail, run?.error?.message ?? null, run?.summary ?? null];
  const details = words.flatMap((text) => (text === null || text.trim() === "" ? [] : [text]));
  const evidence = run === null ? [] : evidenceLines(run);
  const blocks = [
    { type: "header", text: plain(sentence, HEADER_LIMIT) },
    ...details.map((text) => ({ type: "section", text: plain(text, BLOCK_LIMIT) })),
    ...(evidence.length === 0 ? [] : [{ type: "section", text: plain(evidence.join("\n"), BLOCK_LIMIT) }]),
    ...(buttons.length === 0 ? [] : [{ type: "actions", elements: buttons.map(buttonOf) }]),
    ...(url === null
      ? []
      : [{ type: "section", text: { type: "mrkdwn", text: `<${escaped(url)}|Open the session>` } }]),
  ];
  return JSON.stringify({ text: escaped(sentence), blocks });
}

function buttonOf({ label, ...rest }: AnswerButton, place: number) {
  return { type: "button", action_id: `answer_${place}`, text: plain(label, BUTTON_LIMIT), ...rest };
}

/** What a message becomes once somebody has pressed one of its buttons: without buttons. */
export function answeredBody(question: string, outcome: string): string {
  const blocks = [question, outcome].map((text) => ({ type: "section", text: plain(text, BLOCK_LIMIT) }));
  return JSON.stringify({ replace_original: true, text: escaped(outcome), blocks });
}

export function evidenceLines({ result, evidence, usage }: ListedRun): string[] {
  const { turns, tool_calls, files_changed, branches_pushed, pull_requests = [], comments = [] } = evidence;
  return [
    `result: ${result ?? "none"}`,
    `turns: ${turns}, tool calls: ${tool_calls}, files changed: ${files_changed}, cost: $${usage.cost_usd.toFixed(2)}`,
    ...branches_pushed
      .slice(-BRANCHES_TOLD)
      .map(({ repository, branch, commit }) => `pushed: ${branch} of ${repository} at ${commit}`),
    ...pull_requests.slice(-PULL_REQUESTS_TOLD).map(({ url }) => `pull request: ${url}`),
    ...comments.slice(-PULL_REQUESTS_TOLD).map(({ kind, url }) => `${kind}: ${url}`),
  ];
}

/** Slack counts what is sent: it is cut after it is escaped, and between escapes. */
function plain(text: string, limit: number) {
  const whole = escaped(text);
  if (whole.length <= limit) return { type: "plain_text", text: whole };
  const short = whole.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$|&[a-z]{0,3}$/, "");
  return { type: "plain_text", text: `${short}…` };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
