/**
 * What a container is given when it starts: JSON in its environment, which its first process reads before anything else and
 * which no other process of it can read.
 */
import { z } from "zod";
import { runnerRefSchema } from "./run.ts";
import { runBoundsSchema } from "./run-bounds.ts";
import { leaseRefSchema } from "./runner-link.ts";

/** The variable that holds the brief. */
export const CONTAINER_BRIEF = "REVEILLE_BRIEF";

/**
 * The variable of a container that is started before there is a lease: a token, with which the brief is brought to it by
 * `POST /brief` at WAITING_PORT. `GET /ready` answers 200 there once all that needs no lease is done.
 */
export const CONTAINER_WAITS = "REVEILLE_WAITS";
export const WAITING_PORT = 8080;

/** The name under which a container knows its instance. It exists in no other place. */
export const INSTANCE_HOST = "reveille.internal";

export const containerBriefSchema = z.object({
  /** Without a slash at its end. */
  instance_url: z.url(),
  lease: leaseRefSchema,
  link_token: z.string(),
  proxy_token: z.string(),
  /** As which runner the container says hello, where it works for a runner that has the lease; absent in the instance's own. */
  runner: runnerRefSchema.optional(),
  /**
   * The path of a Unix socket, in a container without a network: whoever started it listens there, and passes the run's own
   * requests on to the instance. It is closed for good when that program has ended.
   */
  host_socket: z.string().optional(),
  /** Beside it, the one at which that program is the container's proxy for hosts of the internet. Absent where there is no such way. */
  hosts_socket: z.string().optional(),
  /** Absent where the container's own size is the bound. */
  bounds: runBoundsSchema.optional(),
});
export type ContainerBrief = z.infer<typeof containerBriefSchema>;
