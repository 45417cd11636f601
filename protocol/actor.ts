/** Who did something, as records of it keep it. */
import { z } from "zod";
import { signInIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";

const callerKinds = ["owner", "web"] as const;
/** Chats in which people press buttons. */
const chatKinds = ["slack", "telegram", "discord"] as const;
/** As what somebody calls the instance. */
export type ActorKind = (typeof callerKinds)[number];

export const actorSchema = z
  .object({
    kind: z.enum([...callerKinds, ...chatKinds]).meta({
      description: "By what: the owner's token, a browser that is signed in, or a button of a chat's message.",
    }),
    id: nullable(signInIdSchema).meta({ description: "The sign-in of a browser; null for all others." }),
    name: z.string(),
  })
  .meta({ id: "Actor" });
export type Actor = z.infer<typeof actorSchema>;

/** What people read of an actor. Nothing that a browser says of itself: records outlive a sign-in. */
export const ACTOR_NAMES: Record<ActorKind, string> = { owner: "owner", web: "browser" };
