/** What an instance needs of an account: read from wrangler.toml, under the instance's own name. */
import { z } from "zod";

const imageSchema = z.looseObject({ dockerfile: z.string().optional(), build_context: z.string().optional() });

/** The parts of wrangler.toml that a deploy works with; the rest goes through as it is. */
export const wranglerSchema = z.looseObject({
  name: z.string(),
  main: z.string(),
  assets: z.looseObject({ directory: z.string() }),
  d1_databases: z.tuple([
    z.looseObject({ binding: z.string(), database_name: z.string(), migrations_dir: z.string() }),
  ]),
  r2_buckets: z.tuple([z.looseObject({ bucket_name: z.string() })]),
  queues: z.object({
    producers: z.array(z.looseObject({ queue: z.string() })),
    consumers: z.array(z.looseObject({ queue: z.string() })),
  }),
  secrets: z.object({ required: z.array(z.string()) }),
  exports: z.record(z.string(), z.looseObject({ container: z.string().optional() })),
  containers: z
    .array(z.looseObject({ name: z.string().optional(), images: z.record(z.string(), imageSchema).optional() }))
    .optional(),
});
export type WranglerConfig = z.infer<typeof wranglerSchema>;

export interface Wanted {
  /** The worker's name, and what the names of its resources begin with. */
  name: string;
  database: string;
  bucket: string;
  queues: string[];
  requiredSecrets: string[];
  /** Names of the classes of objects. */
  classes: string[];
  /** Whether wrangler.toml has a container image. */
  hasImage: boolean;
}

/** @param name null for that of wrangler.toml. */
export function wantedOf(config: WranglerConfig, name: string | null): Wanted {
  const rename = renaming(config.name, name ?? config.name);
  const { producers, consumers } = config.queues;
  return {
    name: name ?? config.name,
    database: rename(config.d1_databases[0].database_name),
    bucket: rename(config.r2_buckets[0].bucket_name),
    queues: [...new Set([...producers, ...consumers].map(({ queue }) => rename(queue)))],
    requiredSecrets: config.secrets.required,
    classes: Object.keys(config.exports),
    hasImage: (config.containers ?? []).length > 0,
  };
}

/** Names of wrangler.toml begin with the worker's: another worker has its own in its place. */
export function renaming(from: string, to: string): (name: string) => string {
  return (name) => (name === from || name.startsWith(`${from}-`) ? `${to}${name.slice(from.length)}` : `${to}-${name}`);
}
