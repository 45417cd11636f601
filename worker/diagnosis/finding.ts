/** How findings are written, and what looks something over. */
import type { Finding } from "#protocol/diagnosis.ts";

export interface Check {
  /** What is looked at: it stands in the finding, also where the check fails or takes too long. */
  name: string;
  look(): Promise<Finding[]>;
}

export function well(check: string, message: string): Finding {
  return { check, status: "ok", message, hint: null };
}

export function warning(check: string, message: string, hint: string): Finding {
  return { check, status: "warning", message, hint };
}

export function fault(check: string, message: string, hint: string): Finding {
  return { check, status: "fault", message, hint };
}

export function unknown(check: string, message: string, hint: string | null = null): Finding {
  return { check, status: "unknown", message, hint };
}
