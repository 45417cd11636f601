/** Which host gets the lease that has waited longest. Pure. */

/**
 * @param candidates the pool's hosts in the order in which they are preferred, each with a place that has room now, or null.
 * @returns the first that has room; null when none has.
 */
export function chooseHost<Host>(
  candidates: readonly { host: Host; place: string | null }[],
): { host: Host; place: string } | null {
  for (const { host, place } of candidates) {
    if (place !== null) return { host, place };
  }
  return null;
}
