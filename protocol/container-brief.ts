/**
 * What a container is given when it starts: JSON in its environment, which its first process reads before anything else and
 * which no other process of it can read.
 */
import { z } from "zod";
import { leaseRefSchema } from "./runner-link.ts";

/** The variable that holds the brief. */
export const CONTAINER_BRIEF = "REVEILLE_BRIEF";

/** The name under which a container knows its instance. It exists in no other place. */
export const INSTANCE_HOST = "reveille.internal";

export const containerBriefSchema = z.object({
  /** Without a slash at its end. */
  instance_url: z.url(),
  lease: leaseRefSchema,
  link_token: z.string(),
  proxy_token: z.string(),
});
export type ContainerBrief = z.infer<typeof containerBriefSchema>;
