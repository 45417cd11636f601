/** Pure: the configuration that wrangler is given, made from wrangler.toml. No tracked file changes. */
import path from "node:path";
import { renaming, type WranglerConfig } from "./wanted.ts";

export interface ConfigInput {
  /** The folder of wrangler.toml. */
  root: string;
  name: string;
  databaseId: string;
  jurisdiction: string | null;
  /** Whether the account has a name at workers.dev, where the worker is served too. */
  hasSubdomain: boolean;
  /** Variables that are no secrets. What is not among them stays as it is deployed. */
  variables: Record<string, string>;
  /** Whether the instance has containers of its own. */
  hasContainers: boolean;
}

export function generatedConfig(config: WranglerConfig, input: ConfigInput): Record<string, unknown> {
  const { root, name, databaseId, jurisdiction, hasSubdomain, variables, hasContainers } = input;
  const rename = renaming(config.name, name);
  const at = (file: string) => path.resolve(root, file);
  const { dev: _dev, containers, ...rest } = config;
  const [{ preview_database_id: _local, ...database }] = config.d1_databases;
  const [bucket] = config.r2_buckets;
  return {
    ...rest,
    name,
    main: at(config.main),
    assets: { ...config.assets, directory: at(config.assets.directory) },
    d1_databases: [
      {
        ...database,
        database_name: rename(database.database_name),
        database_id: databaseId,
        migrations_dir: at(database.migrations_dir),
      },
    ],
    r2_buckets: [
      { ...bucket, bucket_name: rename(bucket.bucket_name), ...(jurisdiction === null ? {} : { jurisdiction }) },
    ],
    queues: {
      producers: config.queues.producers.map((producer) => ({ ...producer, queue: rename(producer.queue) })),
      consumers: config.queues.consumers.map((consumer) => ({ ...consumer, queue: rename(consumer.queue) })),
    },
    vars: variables,
    keep_vars: true,
    workers_dev: hasSubdomain,
    ...(hasContainers ? { containers: containersAt(containers ?? [], rename, at) } : { exports: bare(config.exports) }),
  };
}

type Containers = NonNullable<WranglerConfig["containers"]>;

function containersAt(containers: Containers, rename: (name: string) => string, at: (file: string) => string) {
  return containers.map(({ images = {}, ...container }) => ({
    ...container,
    ...(container.name === undefined ? {} : { name: rename(container.name) }),
    images: Object.fromEntries(
      Object.entries(images).map(([key, { dockerfile, build_context, ...image }]) => [
        key,
        {
          ...image,
          ...(dockerfile === undefined ? {} : { dockerfile: at(dockerfile) }),
          ...(build_context === undefined ? {} : { build_context: at(build_context) }),
        },
      ]),
    ),
  }));
}

/** The classes of objects, none with a container. */
function bare(exports: WranglerConfig["exports"]): WranglerConfig["exports"] {
  return Object.fromEntries(Object.entries(exports).map(([name, { container: _none, ...entry }]) => [name, entry]));
}
