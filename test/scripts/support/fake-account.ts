/** What an account of the stand-in for Cloudflare has, and how it answers each path of the API: see `fake-cloudflare.ts`. */
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { FakeAnswer } from "./fake-cloudflare.ts";

interface Binding {
  name: string;
  type: string;
  text?: string;
  [more: string]: unknown;
}

/** One version of the worker, as it was uploaded. */
export interface FakeVersion {
  id: string;
  bindings: Binding[];
  secrets: Map<string, string>;
  metadata: Record<string, unknown>;
  modules: string[];
}

export const ACCOUNT_ID = "0123456789abcdef0123456789abcdef";
const CONTAINER_LIMITS = { vcpu_per_deployment: 4, memory_mib_per_deployment: 12_288, disk_mb_per_deployment: 20_000 };
const REGISTRY = {
  account_id: ACCOUNT_ID,
  registry_host: "registry.cloudflare.com",
  username: "v1",
  password: "password-of-the-registry",
};

type Handler = (params: string[], query: URLSearchParams, request: Request) => Promise<FakeAnswer> | FakeAnswer;

const NOT_THERE = {
  database: { status: 404, error: { code: 7_404, message: "The database could not be found" } },
  bucket: { status: 404, error: { code: 10_006, message: "The specified bucket does not exist." } },
  worker: { status: 404, error: { code: 10_007, message: "This Worker does not exist on your account." } },
};

export class FakeAccount {
  subdomain: string | null = "acme";
  readonly databases = new Map<
    string,
    { uuid: string; name: string; jurisdiction: string | null; sql: DatabaseSync }
  >();
  readonly buckets = new Map<string, { name: string; jurisdiction: string }>();
  readonly queues = new Map<string, { queue_id: string; queue_name: string; consumers: Record<string, unknown>[] }>();
  /** Of containers, by the namespace of the objects that they belong to. */
  readonly applications = new Map<string, Record<string, unknown>>();
  readonly versions: FakeVersion[] = [];
  readonly schedules: unknown[] = [];
  readonly domains: { hostname: string; service: string }[] = [];
  readonly #routes: [RegExp, Handler][] = [
    [/^GET \/accounts$/, () => ({ result: [{ id: ACCOUNT_ID, name: "Acme" }] })],
    [/^GET \/d1\/database\/([^/]+)$/, ([name = ""]) => this.#database(name)],
    [/^POST \/d1\/database$/, (_, __, request) => this.#makeDatabase(request)],
    [/^POST \/d1\/database\/([^/]+)\/query$/, ([id = ""], _, request) => this.#query(id, request)],
    [/^GET \/r2\/buckets\/([^/]+)$/, ([name = ""], _, request) => this.#bucket(name, request)],
    [/^POST \/r2\/buckets$/, (_, __, request) => this.#makeBucket(request)],
    [/^GET \/queues$/, (_, query) => ({ result: this.#queues(query) })],
    [/^POST \/queues$/, (_, __, request) => this.#makeQueue(request)],
    [/^GET \/queues\/([^/]+)\/consumers$/, ([id = ""]) => ({ result: this.#queue(id)?.consumers ?? [] })],
    [/^POST \/queues\/([^/]+)\/consumers$/, ([id = ""], _, request) => this.#addConsumer(id, request)],
    [/^PUT \/queues\/([^/]+)\/consumers\/[^/]+$/, () => ({ result: {} })],
    [/^GET \/containers\/me$/, () => ({ result: { external_account_id: ACCOUNT_ID, limits: CONTAINER_LIMITS } })],
    [/^POST \/containers\/registries\/[^/]+\/credentials$/, () => ({ result: REGISTRY })],
    [/^POST \/containers\/image-preparations$/, () => ({ result: { status: "ready" } })],
    [/^GET \/containers\/applications\/([^/]+)$/, ([id = ""]) => this.#application(id)],
    [/^POST \/containers\/applications$/, (_, __, request) => this.#makeApplication(request)],
    [
      /^GET \/workers\/domains$/,
      (_, query) => ({ result: this.domains.filter((one) => one.hostname === query.get("hostname")) }),
    ],
    [/^PUT \/workers\/domains$/, (_, __, request) => this.#attach(request)],
    [/^GET \/workers\/subdomain$/, () => this.#subdomain()],
    [/^GET \/workers\/services\/[^/]+$/, () => this.#ofWorker(() => this.#service())],
    [
      /^GET \/workers\/workers\/[^/]+$/,
      () => this.#ofWorker(() => ({ subdomain: { enabled: true, previews_enabled: false } })),
    ],
    [/^GET \/workers\/scripts\/[^/]+\/settings$/, () => this.#ofWorker((worker) => ({ bindings: shown(worker) }))],
    [/^GET \/workers\/scripts\/[^/]+\/secrets$/, () => this.#ofWorker((worker) => secretsOf(worker))],
    [/^GET \/workers\/scripts\/[^/]+\/deployments$/, () => this.#ofWorker(({ id }) => deployments(id))],
    [/^GET \/workers\/scripts\/[^/]+\/versions\/[^/]+$/, () => this.#ofWorker((worker) => versionOf(worker))],
    [/^POST \/workers\/scripts\/[^/]+\/assets-upload-session$/, (_, __, request) => assetsSession(request)],
    [/^POST \/workers\/assets\/upload$/, () => ({ status: 201, result: { jwt: "assets-are-there" } })],
    [/^PUT \/workers\/scripts\/[^/]+$/, (_, __, request) => this.#upload(request)],
    [/^PATCH \/workers\/scripts\/[^/]+\/script-settings$/, () => ({ result: {} })],
    [/^POST \/workers\/scripts\/[^/]+\/subdomain$/, () => ({ result: { enabled: true, previews_enabled: false } })],
    [/^PUT \/workers\/scripts\/[^/]+\/schedules$/, (_, __, request) => this.#schedule(request)],
  ];

  /** The version that serves. */
  get deployed(): FakeVersion | null {
    return this.versions.at(-1) ?? null;
  }

  close(): void {
    for (const { sql } of this.databases.values()) sql.close();
  }

  async answer(what: string, query: URLSearchParams, request: Request): Promise<FakeAnswer> {
    for (const [pattern, handle] of this.#routes) {
      const match = pattern.exec(what);
      if (match !== null) return await handle(match.slice(1), query, request);
    }
    return { status: 404, error: { code: 7_003, message: `No route for ${what} in the stand-in` } };
  }

  #database(nameOrId: string): FakeAnswer {
    const found = [...this.databases.values()].find(({ name, uuid }) => name === nameOrId || uuid === nameOrId);
    if (found === undefined) return NOT_THERE.database;
    const { sql: _sql, ...database } = found;
    return { result: database };
  }

  async #makeDatabase(request: Request): Promise<FakeAnswer> {
    const { name, jurisdiction = null } = (await request.json()) as { name: string; jurisdiction?: string };
    if (this.databases.has(name))
      return { error: { code: 7_502, message: "A database with that name already exists" } };
    this.databases.set(name, { uuid: randomUUID(), name, jurisdiction, sql: new DatabaseSync(":memory:") });
    return this.#database(name);
  }

  async #query(id: string, request: Request): Promise<FakeAnswer> {
    const found = [...this.databases.values()].find(({ uuid }) => uuid === id);
    if (found === undefined) return NOT_THERE.database;
    const { sql } = (await request.json()) as { sql: string };
    try {
      const meta = { duration: 1, rows_read: 0, rows_written: 0 };
      if (/^\s*(select|pragma)/i.test(sql)) {
        return { result: [{ results: found.sql.prepare(sql).all(), success: true, meta }] };
      }
      found.sql.exec(sql);
      return { result: [{ results: [], success: true, meta }] };
    } catch (error) {
      return { error: { code: 7_500, message: error instanceof Error ? error.message : String(error) } };
    }
  }

  #bucket(name: string, request: Request): FakeAnswer {
    const bucket = this.buckets.get(`${request.headers.get("cf-r2-jurisdiction") ?? "default"}/${name}`);
    return bucket === undefined ? NOT_THERE.bucket : { result: bucket };
  }

  async #makeBucket(request: Request): Promise<FakeAnswer> {
    const { name } = (await request.json()) as { name: string };
    const jurisdiction = request.headers.get("cf-r2-jurisdiction") ?? "default";
    this.buckets.set(`${jurisdiction}/${name}`, { name, jurisdiction });
    return { result: { name, jurisdiction } };
  }

  #queues(query: URLSearchParams) {
    const names = query.getAll("name");
    return [...this.queues.values()].filter(({ queue_name }) => names.length === 0 || names.includes(queue_name));
  }

  #queue(id: string) {
    return [...this.queues.values()].find(({ queue_id }) => queue_id === id);
  }

  async #makeQueue(request: Request): Promise<FakeAnswer> {
    const { queue_name } = (await request.json()) as { queue_name: string };
    if (this.queues.has(queue_name)) return { error: { code: 11_009, message: "Queue name is already taken" } };
    const queue = { queue_id: randomUUID().replaceAll("-", ""), queue_name, consumers: [] };
    this.queues.set(queue_name, queue);
    return { result: queue };
  }

  async #addConsumer(id: string, request: Request): Promise<FakeAnswer> {
    const queue = this.#queue(id);
    if (queue === undefined) return { status: 404, error: { code: 11_000, message: "Queue does not exist" } };
    const consumer = (await request.json()) as { script_name: string };
    queue.consumers.push({ ...consumer, consumer_id: randomUUID(), script: consumer.script_name, type: "worker" });
    return { result: queue.consumers.at(-1) };
  }

  #subdomain(): FakeAnswer {
    return this.subdomain === null ? NOT_THERE.worker : { result: { subdomain: this.subdomain } };
  }

  #service() {
    return {
      id: "reveille",
      default_environment: {
        environment: "production",
        script: { id: "reveille", tag: "tag", tags: [], last_deployed_from: "wrangler" },
      },
    };
  }

  #ofWorker(answer: (worker: FakeVersion) => unknown): FakeAnswer {
    return this.deployed === null ? NOT_THERE.worker : { result: answer(this.deployed) };
  }

  /** A version takes the place of the one before, whole, or not at all: what it inherits has to be there. */
  async #upload(request: Request): Promise<FakeAnswer> {
    const form = await request.formData();
    const metadata = JSON.parse(String(form.get("metadata"))) as { bindings: Binding[]; keep_bindings?: string[] };
    const before = this.deployed;
    const named = new Set(metadata.bindings.map(({ name }) => name));
    const keeps = metadata.keep_bindings ?? [];
    const kept = (before?.bindings ?? []).filter(({ name, type }) => !named.has(name) && keeps.includes(type));
    const secrets = new Map([...(before?.secrets ?? [])].filter(([name]) => !named.has(name)));
    const bindings: Binding[] = [...kept];
    for (const binding of metadata.bindings) {
      const inherited = before?.bindings.find(({ name }) => name === binding.name);
      if (binding.type === "durable_object_namespace")
        bindings.push({ ...binding, namespace_id: `ns-${binding.name}` });
      else if (binding.type !== "inherit") bindings.push(binding);
      else if (inherited !== undefined) bindings.push(inherited);
      else return { error: { code: 10_057, message: `inherit binding '${binding.name}' is invalid` } };
      const old = before?.secrets.get(binding.name);
      if (binding.type === "inherit" && old !== undefined) secrets.set(binding.name, old);
      if (binding.type === "secret_text") secrets.set(binding.name, String(binding.text));
    }
    const id = randomUUID();
    const modules = [...form.keys()].filter((name) => name !== "metadata");
    this.versions.push({ id, bindings, secrets, metadata, modules });
    return { result: { id: "reveille", etag: "etag", deployment_id: id.replaceAll("-", ""), startup_time_ms: 10 } };
  }

  #application(id: string): FakeAnswer {
    const application = this.applications.get(id);
    if (application !== undefined) return { result: application };
    return { status: 404, error: { code: 1_000, message: "The application could not be found" } };
  }

  async #makeApplication(request: Request): Promise<FakeAnswer> {
    const made = (await request.json()) as { durable_objects: { namespace_id: string } };
    const id = made.durable_objects.namespace_id;
    this.applications.set(id, { ...made, id });
    return this.#application(id);
  }

  /** As Cloudflare does it: what leads elsewhere is taken from nobody. */
  async #attach(request: Request): Promise<FakeAnswer> {
    const { hostname, service } = (await request.json()) as { hostname: string; service: string };
    const held = this.domains.find((domain) => domain.hostname === hostname);
    if (held !== undefined && held.service !== service) {
      return {
        status: 409,
        error: { code: 100_116, message: `Hostname '${hostname}' already in use by other custom domain.` },
      };
    }
    if (held === undefined) this.domains.push({ hostname, service });
    return { result: { hostname, service } };
  }

  async #schedule(request: Request): Promise<FakeAnswer> {
    this.schedules.splice(0, Infinity, ...((await request.json()) as unknown[]));
    return { result: { schedules: this.schedules } };
  }
}

/** Values of secrets are never shown again. */
function shown({ bindings }: FakeVersion): Binding[] {
  return bindings.map(({ text, ...binding }) =>
    binding.type === "secret_text" || text === undefined ? binding : { ...binding, text },
  );
}

function secretsOf({ secrets }: FakeVersion) {
  return [...secrets.keys()].map((name) => ({ name, type: "secret_text" }));
}

function deployments(id: string) {
  return {
    deployments: [
      { id: randomUUID(), strategy: "percentage", source: "wrangler", versions: [{ version_id: id, percentage: 100 }] },
    ],
  };
}

function versionOf({ id, metadata, bindings }: FakeVersion) {
  return {
    id,
    number: 1,
    metadata: {},
    resources: { bindings, script: { etag: "etag" }, script_runtime: { containers: metadata["containers"] } },
  };
}

/** All files that the account does not have: it has none. */
async function assetsSession(request: Request): Promise<FakeAnswer> {
  const { manifest } = (await request.json()) as { manifest: Record<string, { hash: string }> };
  return { result: { jwt: "assets-are-coming", buckets: [Object.values(manifest).map(({ hash }) => hash)] } };
}
