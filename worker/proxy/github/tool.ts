/** A tool of the server `github`: what it takes, and what it does in one of the run's repositories. */
import { z } from "zod";
import type { Result } from "#protocol/errors.ts";
import type { GithubPlace } from "./github-calls.ts";
import type { GithubWork } from "./github-work.ts";

export interface Tool {
  description: string;
  shape: z.ZodRawShape;
  /** @param input as `shape` has it, with `repository`. @returns what the agent reads. */
  run(work: GithubWork, input: unknown): Promise<Result<string>>;
}

const repository = z
  .string()
  .max(200)
  .optional()
  .describe("owner/name of a repository that is attached to the routine. Left out: the only one.");
export const number = z.int().min(1).max(1e15);
export const page = z.int().min(1).max(1_000).default(1);

export function defineTool<Shape extends z.ZodRawShape>(
  description: string,
  shape: Shape,
  run: (work: GithubWork, place: GithubPlace, input: z.output<z.ZodObject<Shape>>) => Promise<Result<string>>,
): Tool {
  const schema = z.object(shape);
  const named = z.object({ repository });
  return {
    description,
    shape: { repository, ...shape },
    run: async (work, input) => {
      const place = work.place(named.parse(input).repository);
      return place.ok ? await run(work, place.value, schema.parse(input)) : place;
    },
  };
}
