/** What the worker's host is told on its stdin, as one line of JSON. It is checked by whoever sends it. */
import { z } from "zod";

export const hostOrderSchema = z.object({
  port: z.int().min(1),
  /** The folder of the built worker. */
  bundle: z.string(),
  /** The file with Miniflare's options for its bindings. */
  options: z.string(),
  /** The folder of the built web app; one that is not there counts as empty. */
  webApp: z.string(),
  /** The folder in which D1 and the objects keep their data. */
  storage: z.string(),
  /** The folder of D1's migrations. */
  migrations: z.string(),
  /** What runs of containers need; null where none is started. */
  containers: z
    .object({
      /** The engine's address, a socket's. */
      engine: z.string(),
      /** The image of the side-cars that containers' traffic goes through, and the runner's. Both are at the engine. */
      sidecar: z.string(),
      image: z.string(),
    })
    .nullable(),
  variables: z.record(z.string(), z.string()),
});
export type HostOrder = z.infer<typeof hostOrderSchema>;
