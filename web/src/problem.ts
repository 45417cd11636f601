/** What went wrong with a call, in words for people. */
import type { ErrorBody } from "#protocol/errors.ts";

interface Facts {
  status: number;
  type: string;
  message: string;
  hint: string | null;
  code: string | null;
  issues?: readonly FieldFault[];
}

/** What is wrong with one field of what was sent, by its path: `triggers[0].cron`. */
export interface FieldFault {
  field: string;
  message: string;
}

/** A call that was refused or could not be made. It is thrown, because that is how queries learn of it. */
export class Problem extends Error {
  override readonly name = "Problem";
  /** The HTTP status; 0 when the instance could not be reached. */
  readonly status: number;
  /** The error's `type`, or `unreachable`, `unanswered` or `unreadable`. */
  readonly type: string;
  /** What to do about it. */
  readonly hint: string | null;
  /** The stable code from docs/errors.md. */
  readonly code: string | null;
  /** One for each field at fault, where the answer tells of fields; the message has them too. */
  readonly issues: readonly FieldFault[];

  constructor({ status, type, message, hint, code, issues = [] }: Facts) {
    super(message);
    this.status = status;
    this.type = type;
    this.hint = hint;
    this.code = code;
    this.issues = issues;
  }
}

export function refused(status: number, { error }: ErrorBody): Problem {
  const { type, message, hint = null, details } = error;
  const issues = details?.issues ?? [];
  const told = issues.map(({ field, message }) => `${field}: ${message}`);
  return new Problem({
    status,
    type,
    message: [message, ...told].join(" "),
    hint,
    code: details?.code ?? null,
    issues,
  });
}

export function unreachable(): Problem {
  return new Problem({
    status: 0,
    type: "unreachable",
    message: "Reveille can't be reached.",
    hint: "Check your connection, and that the instance is running. This page tries again by itself.",
    code: null,
  });
}

/** The instance was reached, and nothing came of it. */
export function unanswered(): Problem {
  return new Problem({
    status: 0,
    type: "unanswered",
    message: "Reveille has not answered in time.",
    hint: "What was asked for may still happen: look before you try again. If it stays so, the instance has too much to do.",
    code: null,
  });
}

/** An answer that is not of the API: something stands between, or the app is older than the instance. */
export function unreadable(status: number): Problem {
  return new Problem({
    status,
    type: "unreadable",
    message: "The answer was not one of Reveille's.",
    hint: "Reload the page. If it stays so, something between this browser and the instance answers in its place.",
    code: null,
  });
}

/** What an answer tells of something that is wrong, beside what it was asked for. */
export function problemOf({ code, message, hint }: { code: string; message: string; hint: string }): Problem {
  return new Problem({ status: 200, type: "told", message, hint, code });
}

/** Whether trying again soon may well help. */
export function isPassing(error: unknown): boolean {
  return error instanceof Problem && (error.status === 0 || error.status === 503);
}

/** Whatever was thrown, as a problem that can be shown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isMissingFile(error)) {
    return new Problem({
      status: 500,
      type: "app_incomplete",
      message: "A part of the app could not be loaded.",
      hint: "Check your connection, and reload the page.",
      code: null,
    });
  }
  return new Problem({
    status: 500,
    type: "app_error",
    message: "Something in this page went wrong.",
    hint: "Reload the page.",
    code: null,
  });
}

/** As browsers tell of a file of the app that did not come when it was wanted. */
function isMissingFile(error: unknown): boolean {
  return error instanceof TypeError && /imported module|importing a module/i.test(error.message);
}
