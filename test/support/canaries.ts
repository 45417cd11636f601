/**
 * Looks for secrets where none may be: in D1, R2, the objects' storage, the log, and whatever the worker answers or says on a
 * socket. The instance's own are those of the tests' environment; whatever else a test hides begins with `canary-`, or is named.
 */
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { writeWaitingLines } from "#protocol/log.ts";
import { patternsOf } from "#rules/secrets/patterns.ts";
import { hidden } from "./hidden.ts";
import { SECRET_FORMS, VARIABLE_CANARIES } from "./secret-kinds.ts";

/** A secret that was found, as far as people have to know it, and where. */
export interface Found {
  where: string;
  what: string;
}

/** Each has to be woken: of one kind the newest are looked at, in which a file of tests has done what it does. */
const OBJECTS_AT_MOST = 12;
/** So many rows are looked through at once; none is left out. */
const ROWS_AT_ONCE = 2_000;
const SHOWN = 24;

/** What is looked for of the instance's own: each as it is, and encoded. */
const instanceSecrets = [
  ...Object.keys(VARIABLE_CANARIES)
    .filter((name) => name !== "GIT_CREDENTIALS")
    .map((name) => Reflect.get(env, name)),
  ...Object.values(JSON.parse(env.GIT_CREDENTIALS ?? "{}")),
].flatMap((secret) => (typeof secret === "string" && secret !== "" ? [{ secret, written: patternsOf(secret) }] : []));
const { ROUTINE, POOL, ROSTER, BUDGET, GATE, SANDBOX } = env;
const NAMESPACES = { ROUTINE, POOL, ROSTER, BUDGET, GATE, SANDBOX };

const said: { where: string; text: string }[] = [];

/** Notes what was said to somebody outside, to be looked through with all else. */
export function noteSaid(where: string, text: string): void {
  if (secretIn(where, text) !== null) said.push({ where, text });
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

/** @returns what a text at a place has of a secret that may not be there; null when there is nothing. */
export function secretIn(where: string, text: string): string | null {
  for (const { form, seenIn } of SECRET_FORMS) {
    const found = form.exec(text)?.[0];
    if (found !== undefined && seenIn?.test(where) !== true) return found;
  }
  const given = instanceSecrets.find(({ written }) => written.some((one) => text.includes(one)))?.secret;
  return (given ?? [...hidden].find((secret) => text.includes(secret)))?.slice(0, SHOWN) ?? null;
}

/** Looks everywhere. What was noted is forgotten. */
export async function findSecrets(): Promise<Found[]> {
  writeWaitingLines();
  const noted = said.splice(0).flatMap(({ where, text }) => lookThrough(where, text));
  return [...noted, ...(await inD1()), ...(await inBodies()), ...(await inObjects())];
}

function lookThrough(where: string, text: string): Found[] {
  const what = secretIn(where, text);
  return what === null ? [] : [{ where, what }];
}

async function inD1(): Promise<Found[]> {
  const { results } = await env.DB.prepare(TABLES).all<{ name: string }>();
  const found = await Promise.all(
    results.map(async ({ name }) => {
      const where = `D1: ${name}`;
      const inTable: Found[] = [];
      for (let from = 0; ; from += ROWS_AT_ONCE) {
        const page = env.DB.prepare(`SELECT * FROM "${name}" LIMIT ${ROWS_AT_ONCE} OFFSET ${from}`);
        const rows = (await page.all()).results;
        inTable.push(...lookThrough(where, asText(rows)));
        if (rows.length < ROWS_AT_ONCE) return inTable;
      }
    }),
  );
  return found.flat();
}

async function inBodies(): Promise<Found[]> {
  const found: Found[] = [];
  let cursor: string | undefined;
  do {
    const page = await env.BODIES.list(cursor === undefined ? {} : { cursor });
    const texts = page.objects.map(async ({ key }) =>
      lookThrough(`R2: ${key}`, (await (await env.BODIES.get(key))?.text()) ?? ""),
    );
    found.push(...(await Promise.all(texts)).flat());
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return found;
}

async function inObjects(): Promise<Found[]> {
  const all = Object.entries(NAMESPACES).map(async ([name, namespace]: [string, DurableObjectNamespace]) => {
    const ids = (await listDurableObjectIds(namespace)).slice(-OBJECTS_AT_MOST);
    const look = (id: DurableObjectId) =>
      runInDurableObject(namespace.get(id), (_, { storage }) => inStorage(`storage of ${name}`, storage)).catch(
        () => [],
      );
    return (await Promise.all(ids.map(look))).flat();
  });
  return (await Promise.all(all)).flat();
}

const TABLES =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

async function inStorage(where: string, storage: DurableObjectStorage): Promise<Found[]> {
  const found: Found[] = [];
  let rows: unknown[] = [];
  const lookAt = (row: unknown[], isLast: boolean) => {
    rows.push(row);
    if (rows.length < ROWS_AT_ONCE && !isLast) return;
    found.push(...lookThrough(where, asText(rows)));
    rows = [];
  };
  for (const { name } of storage.sql.exec<{ name: string }>(TABLES).toArray()) {
    for (const row of storage.sql.exec(`SELECT * FROM "${name}"`).raw()) lookAt(row, false);
  }
  lookAt([...(await storage.list())], true);
  return found;
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item instanceof ArrayBuffer ? new TextDecoder().decode(item) : item,
  );
}
