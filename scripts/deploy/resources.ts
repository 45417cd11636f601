/** What an account has of what an instance needs: looked up, and made where it is missing. */
import { z } from "zod";
import { type CloudflareApi, CloudflareFault } from "./cloudflare-api.ts";
import type { Wanted } from "./wanted.ts";

export interface Account {
  id: string;
  name: string;
}

export interface DeployedWorker {
  versionId: string | null;
  /** Names of the classes of objects that it is bound to. */
  classes: string[];
  variables: Record<string, string>;
  secrets: string[];
}

export interface Found {
  database: { id: string; jurisdiction: string | null } | null;
  hasBucket: boolean;
  /** Those of the wanted queues that are there. */
  queues: string[];
  /** Null when the worker has never been deployed. */
  worker: DeployedWorker | null;
  /** The account's part of workers.dev; null when it has none yet. */
  subdomain: string | null;
  /** The worker that the wanted domain leads to; null for none, and where no domain is wanted. */
  domainOf: string | null;
}

/** Codes of what is not there, as wrangler reads them. */
const NO_SUCH = { subdomain: 10_007, worker: 10_007, bucket: 10_006, database: 7_404 };

const databaseSchema = z.object({ uuid: z.string(), name: z.string(), jurisdiction: z.string().nullish() });
const queueSchema = z.object({ queue_name: z.string() });
const settingsSchema = z.object({
  bindings: z.array(
    z.looseObject({
      type: z.string(),
      name: z.string(),
      text: z.string().optional(),
      class_name: z.string().optional(),
    }),
  ),
});

const deploymentsSchema = z.object({
  deployments: z.array(z.object({ versions: z.array(z.object({ version_id: z.string() })) })),
});

/** The accounts that the credentials open. */
export async function accountsOf(api: CloudflareApi): Promise<Account[]> {
  const result = z.array(z.object({ id: z.string(), name: z.string() }));
  const permission = "Account Settings: Read";
  return await api.call({ path: "/accounts", query: [["per_page", "50"]], result, permission });
}

/** @throws CloudflareFault, as all of these do. */
export async function findWorker(api: CloudflareApi, account: string, name: string): Promise<Found["worker"]> {
  const settings = await orNull(NO_SUCH.worker, () =>
    api.call({
      path: `/accounts/${account}/workers/scripts/${name}/settings`,
      result: settingsSchema,
      permission: "Workers Scripts: Edit",
    }),
  );
  if (settings === null) return null;
  const ofType = (type: string) => settings.bindings.filter((binding) => binding.type === type);
  return {
    versionId: await findVersion(api, account, name),
    classes: ofType("durable_object_namespace").flatMap(({ class_name }) => class_name ?? []),
    variables: Object.fromEntries(ofType("plain_text").map(({ name: variable, text = "" }) => [variable, text])),
    secrets: ofType("secret_text").map(({ name: secret }) => secret),
  };
}

/** The version that serves; null where there is none. */
export async function findVersion(api: CloudflareApi, account: string, name: string): Promise<string | null> {
  const found = await orNull(NO_SUCH.worker, () =>
    api.call({
      path: `/accounts/${account}/workers/scripts/${name}/deployments`,
      result: deploymentsSchema,
      permission: "Workers Scripts: Edit",
    }),
  );
  return found?.deployments[0]?.versions[0]?.version_id ?? null;
}

/** @param place.jurisdiction where the bucket is looked for; null for none. */
export async function findResources(
  api: CloudflareApi,
  account: string,
  wanted: Wanted,
  { jurisdiction, domain }: { jurisdiction: string | null; domain: string | null },
): Promise<Omit<Found, "worker">> {
  return {
    database: await findDatabase(api, account, wanted.database),
    hasBucket: await hasBucket(api, account, wanted.bucket, jurisdiction),
    queues: await findQueues(api, account, wanted.queues),
    subdomain: await findSubdomain(api, account),
    domainOf: domain === null ? null : await findDomain(api, account, domain),
  };
}

export async function findDatabase(api: CloudflareApi, account: string, name: string): Promise<Found["database"]> {
  // By its name where types have an id: wrangler, which finds databases by name, asks so as well.
  const database = await orNull(NO_SUCH.database, () =>
    api.call({ path: `/accounts/${account}/d1/database/${name}`, result: databaseSchema, permission: "D1: Edit" }),
  );
  return database === null ? null : { id: database.uuid, jurisdiction: database.jurisdiction ?? null };
}

export async function makeDatabase(
  api: CloudflareApi,
  account: string,
  name: string,
  place: { jurisdiction: string | null; location: string | null },
): Promise<string> {
  const { jurisdiction, location } = place;
  const { uuid } = await api.call({
    method: "POST",
    path: `/accounts/${account}/d1/database`,
    body: {
      name,
      ...(jurisdiction !== null ? { jurisdiction } : location !== null && { primary_location_hint: location }),
    },
    result: databaseSchema,
    permission: "D1: Edit",
  });
  return uuid;
}

async function hasBucket(api: CloudflareApi, account: string, name: string, jurisdiction: string | null) {
  const bucket = await orNull(NO_SUCH.bucket, () =>
    api.call({
      path: `/accounts/${account}/r2/buckets/${name}`,
      headers: bucketHeaders(jurisdiction),
      result: z.object({ name: z.string() }),
      permission: "Workers R2 Storage: Edit",
    }),
  );
  return bucket !== null;
}

export async function makeBucket(
  api: CloudflareApi,
  account: string,
  name: string,
  { jurisdiction, location }: { jurisdiction: string | null; location: string | null },
): Promise<void> {
  await api.call({
    method: "POST",
    path: `/accounts/${account}/r2/buckets`,
    headers: bucketHeaders(jurisdiction),
    body: { name, ...(jurisdiction === null && location !== null && { locationHint: location }) },
    result: z.object({ name: z.string() }),
    permission: "Workers R2 Storage: Edit",
  });
}

function bucketHeaders(jurisdiction: string | null): Record<string, string> {
  return jurisdiction === null ? {} : { "cf-r2-jurisdiction": jurisdiction };
}

async function findQueues(api: CloudflareApi, account: string, names: string[]): Promise<string[]> {
  const found = await api.call({
    path: `/accounts/${account}/queues`,
    query: names.map((name) => ["name", name]),
    result: z.array(queueSchema),
    permission: "Queues: Edit",
  });
  return found.map(({ queue_name }) => queue_name).filter((name) => names.includes(name));
}

export async function makeQueue(
  api: CloudflareApi,
  account: string,
  name: string,
  jurisdiction: string | null,
): Promise<void> {
  await api.call({
    method: "POST",
    path: `/accounts/${account}/queues`,
    body: { queue_name: name, ...(jurisdiction !== null && { jurisdiction }) },
    result: queueSchema,
    permission: "Queues: Edit",
  });
}

async function findSubdomain(api: CloudflareApi, account: string): Promise<string | null> {
  const found = await orNull(NO_SUCH.subdomain, () =>
    api.call({
      path: `/accounts/${account}/workers/subdomain`,
      result: z.object({ subdomain: z.string().nullish() }),
      permission: "Workers Scripts: Edit",
    }),
  );
  return found?.subdomain ?? null;
}

const domainSchema = z.object({ hostname: z.string(), service: z.string() });
const DOMAIN_PERMISSION = "Workers Routes: Edit, and Zone: Read, of the zone";

async function findDomain(api: CloudflareApi, account: string, hostname: string): Promise<string | null> {
  const found = await api.call({
    path: `/accounts/${account}/workers/domains`,
    query: [["hostname", hostname]],
    result: z.array(domainSchema),
    permission: DOMAIN_PERMISSION,
  });
  return found.find((domain) => domain.hostname === hostname)?.service ?? null;
}

/**
 * Has a domain lead to the worker. A name that has records of its own, or leads to another worker, is refused: wrangler, which
 * could do the same, takes it over without a word where no terminal can be asked.
 */
export async function attachDomain(api: CloudflareApi, account: string, hostname: string, worker: string) {
  await api.call({
    method: "PUT",
    path: `/accounts/${account}/workers/domains`,
    body: { hostname, service: worker },
    result: domainSchema,
    permission: DOMAIN_PERMISSION,
  });
}

async function orNull<Value>(code: number, ask: () => Promise<Value>): Promise<Value | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CloudflareFault && error.code === code) return null;
    throw error;
  }
}
