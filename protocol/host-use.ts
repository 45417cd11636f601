/** What a run had to do with a host of the internet. */
import { z } from "zod";

const count = z.int().min(0);

/** Of a name that there can be. */
export const HOST_LENGTH = 253;

export const hostUseSchema = z
  .object({
    host: z
      .string()
      .max(HOST_LENGTH)
      .meta({ description: "Its name; `*` for all those that are too many to be listed." }),
    allowed: z.boolean().meta({ description: "Whether the network policy allowed it." }),
    requests: count.meta({ description: "Requests; of what is encrypted on a runner's machine, connections." }),
    bytes_sent: count,
    bytes_received: count,
  })
  .meta({ id: "HostUse" });
export type HostUse = z.infer<typeof hostUseSchema>;

/** The most rows that one run has. */
export const HOSTS_LISTED = 200;
export const hostUsesSchema = z.array(hostUseSchema).max(HOSTS_LISTED);
