/** A browser that is signed in, as the API shows it. */
import { z } from "zod";
import { signInIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

export const signInSchema = z
  .object({
    id: signInIdSchema,
    created_at: timestampSchema,
    last_used_at: timestampSchema.meta({ description: "To within five minutes." }),
    expires_at: timestampSchema,
    user_agent: nullable(z.string()).meta({ description: "As the browser named itself when it signed in." }),
    ip: nullable(z.string()).meta({ description: "Where it signed in from; null where the platform does not tell." }),
    current: z.boolean().meta({ description: "Whether it is the one that asks." }),
  })
  .meta({ id: "SignIn" });
export type SignIn = z.infer<typeof signInSchema>;
