/** How an instance's containers are told from others at the same engine. */
import { createHash } from "node:crypto";

/**
 * Of the instance whose objects are stored there, and of no other: the objects' key, which is in the names of all of its
 * containers. Storage that has been moved is another's.
 */
export function containerKey(storage: string): string {
  return `reveille-${createHash("sha256").update(storage).digest("hex").slice(0, 12)}-SandboxObject`;
}
