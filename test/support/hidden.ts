/** Secrets that tests have drawn or were given, so that they are looked for. */

/** The latest: tests of scale have thousands. */
const HIDDEN_AT_MOST = 100;

export const hidden = new Set<string>();

/** From here on this must be nowhere but where it belongs. */
export function hide(secret: string): void {
  hidden.add(secret);
  const [oldest] = hidden;
  if (hidden.size > HIDDEN_AT_MOST && oldest !== undefined) hidden.delete(oldest);
}
