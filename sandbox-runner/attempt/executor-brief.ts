/**
 * What a runner and its executor say to each other. The runner writes JSON lines on the executor's input, so that no token
 * is in arguments or environment: first where to prepare, then which runs are expected, as often as that changes, then, at most
 * once, for which lease. The executor answers with words, each a line of its own, with the shape of its run, and, where it is asked to,
 * with what later runs of the same routine could be prepared for.
 */
import { z } from "zod";
import { runBoundsSchema } from "#protocol/run-bounds.ts";
import { leaseRefSchema } from "#protocol/runner-link.ts";
import { parseJson } from "#rules/json.ts";
import { type Expected, expectedSchema, type StartShape, startShapeSchema } from "../prepared/start-shape.ts";

export const placeBriefSchema = z.object({
  /** The executor's name, which its folder has, and its processes as their mark. Used once. */
  name: z.string(),
  instance_url: z.string(),
  state_folder: z.string(),
  runner_id: z.string(),
  sandbox: z.enum(["auto", "none"]),
  bounds: runBoundsSchema,
  /**
   * Whether the runner keeps spares for routines: else it need not be told what these could be prepared for. Absent where a
   * runner of an earlier version is still at work, and the executor's program has been replaced under it.
   */
  serves_routines: z.boolean().default(false),
});
export type PlaceBrief = z.infer<typeof placeBriefSchema>;

/** `container`: the process itself is in a container of the run's own, and nothing runs outside of it. */
export type SandboxSetting = PlaceBrief["sandbox"] | "container";

export const leaseBriefSchema = z.object({ lease: leaseRefSchema, link_token: z.string(), proxy_token: z.string() });
export type LeaseBrief = z.infer<typeof leaseBriefSchema>;

/** Null for runs whose agent can't be prepared. */
export const expectBriefSchema = z.object({ expect: z.nullable(expectedSchema) });
export type ExpectBrief = z.infer<typeof expectBriefSchema>;

/** What comes after the first brief. */
export const nextBriefSchema = z.union([leaseBriefSchema, expectBriefSchema]);

const SHAPE_WORD = "shape ";

/** The line in which an executor tells of what shape its run is. */
export function shapeLine(shape: StartShape | null): string {
  return SHAPE_WORD + JSON.stringify(shape);
}

/** @returns undefined for every other line, and for half of one, from an executor that was killed. */
export function shapeIn(line: string): StartShape | null | undefined {
  if (!line.startsWith(SHAPE_WORD)) return undefined;
  const { data, success } = z.nullable(startShapeSchema).safeParse(parseJson(line.slice(SHAPE_WORD.length)));
  return success ? data : undefined;
}

const ROUTINE_WORD = "routine ";

/** The line in which an executor tells what later runs of its run's routine can be prepared for; null for nothing. */
export function routineLine(expected: Expected | null): string {
  return ROUTINE_WORD + JSON.stringify(expected);
}

/** @returns undefined as above. */
export function routineIn(line: string): Expected | null | undefined {
  if (!line.startsWith(ROUTINE_WORD)) return undefined;
  const { data, success } = z.nullable(expectedSchema).safeParse(parseJson(line.slice(ROUTINE_WORD.length)));
  return success ? data : undefined;
}

/**
 * `ready`: prepared for a lease; `agent`: with an agent, too; `unfit`: no agent can be prepared in a copy as it was expected; `begun`: at
 * work on a lease; `started`: its agent has begun to speak.
 */
export const EXECUTOR_NEWS = ["ready", "agent", "unfit", "begun", "started"] as const;
export type ExecutorNews = (typeof EXECUTOR_NEWS)[number];
/** The executor's descriptor for these words. */
export const NEWS_DESCRIPTOR = 3;
