/**
 * Looks for secrets where none may be: in D1, R2, the objects' storage, the log, and whatever the worker answers or says on a
 * socket. The instance's own are those of the tests' environment; whatever else a test hides begins with `canary-`, or is named.
 */
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { hidden } from "./hidden.ts";

/** A secret that was found, as far as people have to know it, and where. */
export interface Found {
  where: string;
  what: string;
}

/** Objects of one kind are alike in most files, and each has to be woken: the newest are looked at. */
const OBJECTS_AT_MOST = 6;
/** Rows of one table are many in tests of scale, and alike. */
const ROWS_AT_MOST = 500;
const SHOWN = 24;
const PLANTED = /canary-[A-Za-z0-9-]{8,}/;

const instanceSecrets = [
  env.OWNER_TOKEN,
  env.OWNER_TOKEN_PREVIOUS,
  env.SIGNING_KEY,
  env.SIGNING_KEY_PREVIOUS,
  env.RUNNER_TOKEN,
  env.RUNNER_TOKEN_PREVIOUS,
  env.GITHUB_WEBHOOK_SECRET,
  ...Object.values<string>(JSON.parse(env.GIT_CREDENTIALS ?? "{}")),
].filter((secret) => secret !== undefined && secret !== "");
const NAMESPACES = { ROUTINE: env.ROUTINE, POOL: env.POOL, ROSTER: env.ROSTER, GATE: env.GATE, SANDBOX: env.SANDBOX };

const said: { where: string; text: string }[] = [];

/** Notes what was said to somebody outside, to be looked through with all else. */
export function noteSaid(where: string, text: string): void {
  if (secretIn(text) !== null) said.push({ where, text });
}

/** The same for an answer, when it is read as a text. @returns the answer. */
export function noteAnswer(where: string, answer: Response): Response {
  noteSaid(where, JSON.stringify([...answer.headers]));
  const read = answer.text.bind(answer);
  const text = async () => {
    const words = await read();
    noteSaid(where, words);
    return words;
  };
  return Object.defineProperties(answer, {
    text: { value: text },
    json: { value: async () => JSON.parse(await text()) },
  });
}

const LEVELS = ["debug", "log", "info", "warn", "error"] as const;
const listening = new WeakSet<object>();

/** Notes from here on what is logged, as far as no test listens instead. */
export function noteLog(): void {
  for (const level of LEVELS) {
    const write = console[level];
    if (listening.has(write)) continue;
    console[level] = (...words: unknown[]) => {
      noteSaid("the log", words.map(String).join(" "));
      write(...words);
    };
    listening.add(console[level]);
  }
}

/** @returns what a text has of a secret; null when there is nothing. */
export function secretIn(text: string): string | null {
  const planted = PLANTED.exec(text)?.[0];
  const secrets = [...instanceSecrets, ...hidden];
  return planted ?? secrets.find((secret) => secret !== undefined && text.includes(secret))?.slice(0, SHOWN) ?? null;
}

/** Looks everywhere. What was noted is forgotten. */
export async function findSecrets(): Promise<Found[]> {
  const noted = said.splice(0);
  const stored = [...(await rowsOfD1()), ...(await bodies()), ...(await objects())];
  return [...noted, ...stored].flatMap(({ where, text }) => {
    const what = secretIn(text);
    return what === null ? [] : [{ where, what }];
  });
}

async function rowsOfD1() {
  const { results } = await env.DB.prepare(TABLES).all<{ name: string }>();
  if (results.length === 0) return [];
  const rows = await env.DB.batch(
    results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}" LIMIT ${ROWS_AT_MOST}`)),
  );
  return rows.map((table, at) => ({ where: `D1: ${results[at]?.name}`, text: asText(table.results) }));
}

async function bodies() {
  const { objects: kept } = await env.BODIES.list();
  return await Promise.all(
    kept.map(async ({ key }) => ({ where: `R2: ${key}`, text: (await (await env.BODIES.get(key))?.text()) ?? "" })),
  );
}

async function objects() {
  const all = Object.entries(NAMESPACES).map(async ([name, namespace]: [string, DurableObjectNamespace]) => {
    const ids = (await listDurableObjectIds(namespace)).slice(-OBJECTS_AT_MOST);
    const texts = await Promise.all(
      ids.map((id) => runInDurableObject(namespace.get(id), (_, state) => dump(state)).catch(() => "")),
    );
    return { where: `storage of ${name}`, text: texts.join("\n") };
  });
  return await Promise.all(all);
}

const TABLES =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

async function dump({ storage }: DurableObjectState): Promise<string> {
  const tables = storage.sql.exec<{ name: string }>(TABLES).toArray();
  const rows = tables.flatMap(({ name }) =>
    storage.sql.exec(`SELECT * FROM "${name}" LIMIT ${ROWS_AT_MOST}`).toArray(),
  );
  const entries = [...(await storage.list({ limit: ROWS_AT_MOST }))];
  return asText([rows, entries]);
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item instanceof ArrayBuffer ? new TextDecoder().decode(item) : item,
  );
}
