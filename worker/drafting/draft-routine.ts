/** Has the model write a draft, and once more where it can't be saved. */
import { type Drafted, type DraftInput, type DraftUsage, modelDraftSchema } from "#protocol/draft.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { roundDollars } from "#protocol/money.ts";
import { routineInputSchema } from "#protocol/routine.ts";
import type { Validation } from "#protocol/warning.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import {
  againRequest,
  DRAFT_CALLS,
  type DraftAnswer,
  type DraftRequest,
  draftCost,
  draftRequest,
  isWithinBounds,
  type KnownNames,
  readDraftAnswer,
} from "./draft-request.ts";

export interface DraftParts {
  model: string;
  known: KnownNames;
  nowMs: number;
  /** Asks the model's API. Never rejects. */
  ask(request: DraftRequest): Promise<Result<unknown>>;
  /** What stands against saving a routine, beyond its schema. */
  validate(draft: unknown): Promise<Result<Pick<Validation, "faults" | "warnings">>>;
}

type Written = Pick<Drafted, "draft" | "questions" | "warnings">;

export async function draftRoutine(asked: DraftInput, parts: DraftParts): Promise<Result<Drafted>> {
  const { model } = parts;
  const usage: DraftUsage = { calls: 0, input_tokens: 0, output_tokens: 0, cost_usd: 0 };
  let request = draftRequest(model, asked, parts.known, parts.nowMs);
  let why = "";
  while (usage.calls < DRAFT_CALLS && isWithinBounds(request)) {
    const body = await parts.ask(request);
    if (!body.ok) return body;
    const answer = readDraftAnswer(body.value);
    if (answer === null) return refuse("draft_refused", { reason: "its answer is not one of the Messages API" });
    count(usage, model, answer);
    if (answer.call === null) return refuse("draft_unusable", { reason: answer.stopReason ?? "it wrote no draft" });
    const read = await readDraft(answer.call.input, parts);
    if (!read.ok) return read;
    if ("written" in read.value) return success({ ...read.value.written, model, usage });
    [why = ""] = read.value.faults;
    request = againRequest(request, answer.call, read.value.faults);
  }
  return refuse("draft_unusable", { reason: why });
}

function count(usage: DraftUsage, model: string, { tokens }: DraftAnswer): void {
  usage.calls += 1;
  usage.input_tokens += tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens;
  usage.output_tokens += tokens.output_tokens;
  usage.cost_usd = roundDollars(usage.cost_usd + draftCost(model, tokens));
}

/** @returns the draft, or what stands against saving it. */
async function readDraft(
  given: unknown,
  { validate }: DraftParts,
): Promise<Result<{ written: Written } | { faults: string[] }>> {
  const parsed = modelDraftSchema.safeParse(given);
  if (!parsed.success) {
    const { issues = [] } = schemaRefusal(modelDraftSchema, given, parsed.error);
    return success({ faults: issues.map(({ field, message }) => `${field}: ${message}`) });
  }
  const { draft, questions } = parsed.data;
  const checked = await validate(draft);
  if (!checked.ok) return checked;
  const { faults, warnings } = checked.value;
  if (faults.length > 0) return success({ faults: faults.map(({ field, message }) => `draft.${field}: ${message}`) });
  return success({ written: { draft: routineInputSchema.parse(draft), questions, warnings } });
}
