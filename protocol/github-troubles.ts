/** Troubles with what runs do at GitHub: rows of the table in `troubles.ts`. */
import { z } from "zod";
import { run, type TroubleRow } from "./trouble-fields.ts";

export const GITHUB_TROUBLES = {
  github_deed_unnoted: {
    level: "warn",
    means: "What a run was about to write at GitHub could not be noted in D1, so it was refused before it left.",
    carries: z.strictObject(run),
  },
  github_deed_not_told: {
    level: "warn",
    means: "A run's object could not be told what has become of something that the run wrote at GitHub.",
    carries: z.strictObject(run),
  },
} as const satisfies Record<string, TroubleRow>;
