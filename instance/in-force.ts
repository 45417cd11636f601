/** A secret and, while it is being changed, the one before: both are accepted, and the first is what is used anew. */
export type InForce = readonly [current: string, ...previous: string[]];

/** @param previous undefined unless the secret is being changed. */
export function inForce(current: string, previous: string | undefined): InForce {
  return previous === undefined ? [current] : [current, previous];
}
