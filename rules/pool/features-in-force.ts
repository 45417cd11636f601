/** Which of the options that a runner names are in force on its link. Pure. */

/** @param told by the runner, in any order. @param known to this side. @returns those that both sides know, each once. */
export function featuresInForce(told: readonly string[], known: readonly string[]): string[] {
  return known.filter((name) => told.includes(name));
}
