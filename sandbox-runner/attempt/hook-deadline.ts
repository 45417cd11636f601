/** How long a hook of the repository may take in an attempt. */
import type { RunOrder } from "#protocol/runner-link.ts";

/** A hook may take this part of the attempt's time at most: one that hangs leaves enough of it to the agent. */
const HOOK_PART = 1 / 3;

export function hookDeadline({ hook_deadline_ms, timeout_ms }: RunOrder): number {
  return Math.min(hook_deadline_ms, timeout_ms * HOOK_PART);
}
