/** Where a runner in a container finds, at its instance, what a setup script has made in an earlier run, and where it keeps it. */

/** How long an archive is, what its bytes must hash to, and when it was kept, in Unix milliseconds. */
export const SETUP_HEADERS = {
  bytes: "x-setup-bytes",
  sha256: "x-setup-sha256",
  keptAt: "x-setup-kept-at",
} as const;

/** In lower-case hexadecimal digits, as a hash has them. */
export const SETUP_KEY = /^[0-9a-f]{64}$/;

/** Of one archive. */
export const SETUP_LIMIT_BYTES = 2 * 1_024 ** 3;
/** An older one is not used: what a script installs gets old. */
export const SETUP_KEPT_MS = 7 * 24 * 3_600_000;

/** @param key of the script and all that its result depends on. */
export function setupPath(runId: string, key: string): string {
  return `/runner/runs/${runId}/setup/${key}`;
}
