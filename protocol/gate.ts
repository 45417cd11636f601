/** A routine's gate: what a connector is asked before the routine wakes, and how it goes with that. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { connectorNameSchema } from "./connector.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";
import { toolArgumentsSchema, toolNameSchema } from "./watch.ts";

const EXPRESSION_LENGTH = 500;

/** As it is written; `rules/wake-gate/gate-refusal.ts` reads the expression. */
export const gateSchema = z
  .strictObject({
    connector: connectorNameSchema.meta({ description: "One of the routine's `connectors`." }),
    tool: toolNameSchema.meta({ description: "The tool that is called, as its server has it: one that only reads." }),
    arguments: toolArgumentsSchema.optional(),
    when: z
      .string()
      .trim()
      .min(1)
      .check(atMost(EXPRESSION_LENGTH))
      .optional()
      .meta({ description: "What has to be so of the answer. Without it, that the answer is not empty." }),
  })
  .meta({ id: "Gate", description: "What a connector is asked before the routine wakes: else no run, no model call." });
export type Gate = z.infer<typeof gateSchema>;

/** What a routine with a gate is shown with. */
export const gateStateSchema = z
  .object({
    waiting: z.int().min(0).meta({ description: "How much has come and waits for the gate's answer." }),
    failures: z.int().min(0).meta({ description: "How often in a row it could not be asked; 0 where nothing waits." }),
    fault: nullable(z.string()).meta({ description: "Why it could not be asked, for people." }),
    next_ask_at: nullable(timestampSchema).meta({ description: "When it is asked again; null where nothing waits." }),
  })
  .meta({ id: "GateState" });
export type GateState = z.infer<typeof gateStateSchema>;
