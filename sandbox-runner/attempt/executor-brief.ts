/**
 * What a runner and its executor say to each other. The runner writes JSON lines on the executor's input, so that no token
 * is in arguments or environment: first where to prepare, then, at most once, for which lease. The executor answers with
 * words, each a line of its own.
 */
import { z } from "zod";
import { runBoundsSchema } from "#protocol/run-bounds.ts";
import { leaseRefSchema } from "#protocol/runner-link.ts";

export const placeBriefSchema = z.object({
  /** The executor's name, which its folder has, and its processes as their mark. Used once. */
  name: z.string(),
  instance_url: z.string(),
  state_folder: z.string(),
  runner_id: z.string(),
  sandbox: z.enum(["auto", "none"]),
  bounds: runBoundsSchema,
});
export type PlaceBrief = z.infer<typeof placeBriefSchema>;

/** `container`: the process itself is in a container of the run's own, and nothing runs outside of it. */
export type SandboxSetting = PlaceBrief["sandbox"] | "container";

export const leaseBriefSchema = z.object({ lease: leaseRefSchema, link_token: z.string(), proxy_token: z.string() });
export type LeaseBrief = z.infer<typeof leaseBriefSchema>;

/** `ready`: prepared for a lease; `begun`: at work on one; `started`: its agent has begun to speak. */
export const EXECUTOR_NEWS = ["ready", "begun", "started"] as const;
export type ExecutorNews = (typeof EXECUTOR_NEWS)[number];
/** The executor's descriptor for these words. */
export const NEWS_DESCRIPTOR = 3;
