/** Checks out the commit that a run is about, in the clone of its repository. */

import type { Checkout } from "#protocol/occurrence.ts";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { Bounds, Place } from "../process/spawn.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { checkoutCommand, QUIET_CHECKOUT, wholeRef } from "./checkout-plan.ts";
import { type Head, readSeen, type Seen } from "./clone-plan.ts";
import { readableGitError } from "./git-error.ts";

export interface CheckoutOptions {
  sandbox: Sandbox;
  /** The workspace, and the environment in which git reaches the relay. */
  place: Place;
  bounds: Bounds;
  /** The clone's folder in the workspace. */
  name: string;
  /** How many commits of history the clone has; 0 for all. */
  depth: number;
  /** The repository's address, and the one under which the relay has it. */
  url: string;
  proxyAddress: string;
}

export type CheckoutResult = { ok: true; head: Head; seen: Seen; message: string } | { ok: false; error: RunError };

/** @returns `clone_timed_out` when the time is up, `checkout_failed` for everything else that goes wrong. */
export async function checkOut(checkout: Checkout, options: CheckoutOptions): Promise<CheckoutResult> {
  const { sandbox, place, bounds, name, depth, url, proxyAddress } = options;
  const ref = wholeRef(checkout.ref);
  if (ref === null) return refused(`${url}: ${JSON.stringify(checkout.ref)} is no branch and no other ref.`);
  const env = { ...place.env, ...QUIET_CHECKOUT };
  const end = await sandbox.run(checkoutCommand(name, ref, checkout, depth), { ...place, env }, bounds);
  if (end.how === "timed_out") {
    const error = runError("clone_timed_out", "clone", `${url}: ${checkout.commit} of ${ref} was not there in time.`);
    return { ok: false, error };
  }
  const seen = readSeen(end.stdout);
  const head = end.code === 0 ? seen.head : null;
  if (head?.commit !== checkout.commit) {
    const words = readableGitError(end.stderr, proxyAddress, url) || "git did not say why";
    return refused(`${url}, ${checkout.commit} of ${ref}: ${words}`);
  }
  const where = head.branch === null ? "on no branch" : `on branch ${head.branch}`;
  return { ok: true, head, seen, message: `Checked out ${head.commit} of ${ref}, ${where}` };
}

function refused(detail: string): CheckoutResult {
  return { ok: false, error: runError("checkout_failed", "clone", detail) };
}
