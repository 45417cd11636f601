/** Looks the instance over: every check at once, each within a time of its own, so that one that hangs hides no other. */
import { NoAnswer, withinDeadline } from "#instance/in-time.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { errorText } from "#protocol/log.ts";
import { type Check, fault } from "./finding.ts";

const DEADLINE_MS = 12_000;

/** @returns the findings of all checks, in their order. */
export async function diagnose(checks: readonly Check[]): Promise<Finding[]> {
  const found = await Promise.all(checks.map((check) => looked(check)));
  return found.flat();
}

async function looked({ name, look }: Check): Promise<Finding[]> {
  try {
    return await withinDeadline(look(), DEADLINE_MS, name);
  } catch (error) {
    if (error instanceof NoAnswer) return [fault(name, "It does not answer.", "Try again soon; the log tells more.")];
    return [fault(name, `It failed: ${errorText(error)}.`, "Try again soon; the log tells more.")];
  }
}
