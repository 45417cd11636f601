/** Vitest's waits give up after a second: on a loaded machine that is nothing. What a test waits for either comes or never does. */
import { vi } from "vitest";

const TIMEOUT_MS = 30_000;

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));

function patient(options: Parameters<typeof waitFor>[1]) {
  return { timeout: TIMEOUT_MS, ...(typeof options === "number" ? { timeout: options } : options) };
}
