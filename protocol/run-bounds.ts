/** How much of its runner's machine a run may use. */
import { z } from "zod";

export const runBoundsSchema = z.object({
  /** Processes and their threads, at once. */
  processes: z.int(),
  /** In MiB: what its processes have in memory, swapped out included, and what lies in its temporary file systems. */
  memory_mib: z.int(),
  /** In MiB: its workspace, its home and its temporary folder; and the length of any one file. */
  disk_mib: z.int(),
});
export type RunBounds = z.infer<typeof runBoundsSchema>;
