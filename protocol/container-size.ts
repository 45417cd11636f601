/** The sizes of a container, as Cloudflare names them. What each has and costs: `rules/sandbox/container-sizes.ts`. */
import { z } from "zod";

export const containerSizes = ["lite", "basic", "standard-1", "standard-2", "standard-3", "standard-4"] as const;
export const containerSizeSchema = z
  .enum(containerSizes, `must be one of ${containerSizes.join(", ")}`)
  .meta({ id: "ContainerSize" });
export type ContainerSize = z.infer<typeof containerSizeSchema>;
