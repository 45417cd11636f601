/** What a runner tells its executor: one JSON line on its input, so that no token is in arguments or environment. */
import { z } from "zod";
import { leaseRefSchema } from "#protocol/runner-link.ts";

export const executorBriefSchema = z.object({
  instance_url: z.string(),
  state_folder: z.string(),
  runner_id: z.string(),
  sandbox: z.enum(["auto", "none"]),
  lease: leaseRefSchema,
  link_token: z.string(),
  proxy_token: z.string(),
});
export type ExecutorBrief = z.infer<typeof executorBriefSchema>;

/** The name of a lease's work: of its folder, and of its processes' mark. */
export function attemptName(lease: ExecutorBrief["lease"]): string {
  return `${lease.run_id}.${lease.generation}`;
}
