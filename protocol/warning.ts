/** What is legal in a routine but can't be meant, or can't work yet. It is saved all the same, and told until it is mended. */
import { z } from "zod";

export const warningCodes = [
  "unknown_event",
  "unknown_action",
  "unknown_field",
  "ambiguous_zone",
  "ambiguous_days",
  "unknown_routine",
  "needs_secret",
  "never_fires",
  "needs_repository",
  "environment_archived",
  "unknown_connector",
  "connector_not_ready",
  "unknown_tool",
] as const;

export const warningSchema = z
  .object({
    code: z.enum(warningCodes),
    field: z.string().meta({ description: "As in the routine: `triggers[0].filters[1].field`." }),
    message: z.string(),
    hint: z.string().optional(),
    secret: z.string().optional().meta({ description: "Of `needs_secret`: the one that variables name." }),
  })
  .meta({ id: "Warning", description: "Something that is saved but can't be meant, or can't work yet." });
export type Warning = z.infer<typeof warningSchema>;

export const validationSchema = z
  .object({
    faults: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .meta({ description: "For what it would be refused; none when it would be saved." }),
    warnings: z.array(warningSchema).meta({ description: "Told of what has no faults." }),
    next: z
      .array(z.object({ trigger: z.int().min(0), times: z.array(z.string()) }))
      .meta({ description: "For each schedule, by its place among the triggers: the next times at which it fires." }),
  })
  .meta({ id: "RoutineValidation" });
export type Validation = z.infer<typeof validationSchema>;
