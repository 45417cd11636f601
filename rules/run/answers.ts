/** Which answers fit a question, and what counts when none has come. Pure. */
import { type Refusal, refuse } from "#protocol/errors.ts";
import type { Answer, AnswerInput, AskedQuestion } from "#protocol/question.ts";

type Said = Omit<AnswerInput, "question_id">;

/** @returns why an answer is none to this question; null when it is one. */
export function answerFault({ kind, choices }: AskedQuestion, { choice, text, approve }: Said) {
  if (kind === "approval") {
    if (approve === undefined) return fault("approve", "must say whether the call may be made: true or false");
    return choice === undefined ? null : fault("choice", "is for questions; this asks to approve a call");
  }
  if (approve !== undefined) return fault("approve", "is for calls that wait to be approved; this is a question");
  if (choice !== undefined && text !== undefined) return fault("text", "must be left out beside a choice");
  if (choice === undefined && text === undefined) {
    return choices.length === 0
      ? fault("text", "must have the answer")
      : fault("choice", `must be one of ${list(choices)}; or answer with text`);
  }
  if (choice === undefined || choices.includes(choice)) return null;
  if (choices.length === 0) return fault("choice", "must be left out: the question has no choices; answer with text");
  return fault("choice", `must be one of ${list(choices)}; or answer with text`);
}

/** What counts when nobody has answered in time: the default of a question; a call that nobody has approved is refused. */
export function answerWhenOver({
  kind,
  choices,
  default: fallback,
}: AskedQuestion): Pick<Answer, "choice" | "text" | "approve"> {
  if (kind === "approval") return { approve: false };
  if (fallback === null) return {};
  return choices.includes(fallback) ? { choice: fallback } : { text: fallback };
}

function list(choices: readonly string[]): string {
  return choices.map((choice) => `"${choice}"`).join(", ");
}

function fault(field: string, message: string): { ok: false; refusal: Refusal } {
  return refuse("invalid_request", { message: `${field}: ${message}`, field, issues: [{ field, message }] });
}
