/** Who did something, as records of it keep it. */
import { z } from "zod";
import { signInIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";

const actorKindSchema = z.enum(["owner", "web"]);
export type ActorKind = z.infer<typeof actorKindSchema>;

export const actorSchema = z
  .object({
    kind: actorKindSchema.meta({ description: "By what: the owner's token, or a browser that is signed in." }),
    id: nullable(signInIdSchema).meta({ description: "The sign-in of a browser; null for the owner's token." }),
    name: z.string(),
  })
  .meta({ id: "Actor" });
export type Actor = z.infer<typeof actorSchema>;

/** What people read of an actor. Nothing that a browser says of itself: records outlive a sign-in. */
export const ACTOR_NAMES: Record<ActorKind, string> = { owner: "owner", web: "browser" };
