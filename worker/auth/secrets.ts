/** Whether a secret that was shown is the one that is expected. */
import { hashSecret, isSameHash } from "#instance/secrets.ts";

/** Compares in constant time, also when the lengths differ. */
export async function secretsMatch(given: string, expected: string): Promise<boolean> {
  const [left, right] = await Promise.all([hashSecret(given), hashSecret(expected)]);
  return isSameHash(left, right);
}
