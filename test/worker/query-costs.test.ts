/**
 * What each statement reads in a D1 that holds much of everything: what it is about, and not what else is there. Measured, not
 * planned: a plan says "by an index" also where the whole index is read.
 */
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { deadLetterLists, writeDeadLetters } from "#instance/d1/dead-letters.ts";
import { dueStore } from "#instance/d1/due.ts";
import { environmentsNamed, unchangedDefault } from "#instance/d1/environments.ts";
import { lastRunsOf } from "#instance/d1/last-runs.ts";
import {
  noteFailure,
  noteSuccess,
  notificationLists,
  readNotificationPlan,
  writeNotifications,
} from "#instance/d1/notifications.ts";
import { forgetRoutine, routineIndex, writeRoutine, writeRuns } from "#instance/d1/routine-index.ts";
import { hasOwner } from "#instance/d1/routine-owners.ts";
import { SEARCHED_ROWS } from "#instance/d1/search-page.ts";
import { subscribersOf } from "#instance/d1/subscribers.ts";
import { SecretRows } from "#instance/secrets/secret-rows.ts";
import type { DeadLetter } from "#protocol/dead-letter.ts";
import type { Notification } from "#protocol/notification.ts";
import type { Routine } from "#protocol/routine.ts";
import { countingReads } from "#test/support/rows-read.ts";
import { deliveriesIn } from "#test/support/stores.ts";
import { askedDatabase } from "#worker/parties/database.ts";
import { begunPushStore } from "#worker/store/begun-pushes.ts";
import { bodies } from "#worker/store/bodies.ts";
import { connectors } from "#worker/store/connectors.ts";
import { deliveryLists } from "#worker/store/delivery-lists.ts";
import { environments } from "#worker/store/environments.ts";
import { githubApp } from "#worker/store/github-app.ts";
import { madeByKey } from "#worker/store/made-by-key.ts";
import { matching } from "#worker/store/matching.ts";
import { namedThings } from "#worker/store/named-things.ts";
import { pools } from "#worker/store/pools.ts";
import { repositoryNames } from "#worker/store/repository-names.ts";
import { secretStore } from "#worker/store/secrets.ts";
import { signIns } from "#worker/store/sign-ins.ts";

/** Of others, in each table. */
const STRANGERS = 2_000;
/** What one statement may read: far fewer, and room for a page and its ends. */
const MOST = 200;
const NOW = 1_000_000;
const LATER = NOW + 1_000_000;
const PAGE = { limit: 10, cursor: null };

/** Rows that nothing here is about, newer than all that is; `i` counts them. */
const OTHERS = [
  `INSERT INTO routines (id, doc, version, pool, environment)
    SELECT 'x' || i, '{}', 1, IIF(i % 2 = 0, 'default', 'other'), IIF(i % 2 = 0, 'default', 'other')`,
  `INSERT INTO forgotten_routines (id, at) SELECT 'x' || i, ${LATER}`,
  "INSERT INTO runs (id, routine_id, status, trigger_type, doc, version) SELECT 'x' || i, 'x' || i, 'succeeded', 'api', '{}', 1",
  "INSERT INTO subscriptions (routine_id, trigger_id, key) SELECT 'x' || i, 'x', 'github:other/' || i || ':push'",
  `INSERT INTO dead_letters (id, routine_id, is_fired, doc, version) SELECT 'x' || i, 'x' || (i / 10), 0, '{}', 1`,
  `INSERT INTO notifications (id, routine_id, status, doc, version) SELECT 'x' || i, 'x' || (i / 10), 'sent', '{}', 1`,
  `INSERT INTO failing_destinations (by, address, failing_since, error) SELECT 'webhook', 'x' || i, ${LATER}, ''`,
  `INSERT INTO due_routines (routine_id, due_at, version) SELECT 'x' || i, ${LATER}, 1`,
  `INSERT INTO deliveries (id, source, status, next_at, provider_id, event, headers, size_bytes, outcomes)
    SELECT 'x' || i, IIF(i % 3 = 0, 'github', 'slack'), CASE i % 3 WHEN 0 THEN 'handled' WHEN 1 THEN 'failed' ELSE 'stored' END,
      ${LATER}, 'x' || i, 'repository', '{}', 1, '[]'`,
  "INSERT INTO verification_failures (day, source, trigger_id, failure, count) SELECT '2026-01-01', 'slack', 'x' || i, 'no_secret', 1",
  `INSERT INTO web_sessions (hash, id, expires_at, authority) SELECT 'x' || i, 'x' || i, ${LATER}, 'owner'`,
  `INSERT INTO web_session_objects (hash, routine_key, id, due_at) SELECT 'x' || i, 'x', 'x', ${LATER}`,
  "INSERT INTO github_repositories (id, full_name, is_private, installation_id, account) SELECT 1000 + i, 'other/' || i, 0, 1000, 'other'",
  "INSERT INTO github_seen (id, hook_at) SELECT 1000 + i, 1",
  "INSERT INTO repository_names (full_name, repository_id, seen_at) SELECT 'other/' || i, 1000 + i, 1",
  `INSERT INTO push_marks (mark, run_id, routine_id, depth, at) SELECT 'x' || i, 'x', 'x', 0, ${LATER}`,
  `INSERT INTO environments (id, name, status, revision, doc)
    SELECT 'x' || i, 'x' || (i / 4), IIF(i % 4 = 0, 'active', 'archived'), 1, '{}'`,
  `INSERT INTO begun_pushes (id, run_id, generation, number, url, branches, ask_at) SELECT 'x' || i, 'x', 1, 0, '', '[]', ${LATER}`,
  `INSERT INTO made_by_key (hash, fingerprint, made_id, at) SELECT 'x' || i, 'x', 'x', ${LATER}`,
  `INSERT INTO secret_uses (name, at, routine_id, run_id, attempt, environment_id, variables) SELECT 'OTHER', ${LATER}, 'x', 'x' || i, 1, 'x', '[]'`,
];
/** As many as an owner asks for, or has accounts: what looks at all of them is not what D1 suffers from. */
const FEW = [
  "notification_rules",
  "sealed_documents",
  "setup_states",
  "sign_in_codes",
  "github_installations",
  "pools",
  "secrets",
  "connectors",
  "connector_logins",
  "connector_login_states",
  "connector_revocations",
  "heartbeats",
  "d1_migrations",
];

const { database, executions } = countingReads(env.DB);
const kept = bodies(env.BODIES);

beforeAll(async () => {
  const count = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${STRANGERS})`;
  await env.DB.batch(OTHERS.map((text) => env.DB.prepare(`${text.replace("SELECT", `${count} SELECT`)} FROM n`)));
});

const routine = { id: "rtn_1", name: "one", runs_on: "pool:gpu", environment: "ci" } as Routine;
const projected = { routine, version: 1, subscriptions: [{ triggerId: "t", key: "event:one" }], dueAt: NOW };
const run = { id: "run_1", routine_id: "rtn_1", status: "queued", trigger: { type: "api" } };
const runDocument = { id: "run_1", status: "queued", doc: JSON.stringify(run), version: 1 } as const;
const delivery = {
  id: "dlv_1",
  source: "event",
  triggerId: null,
  providerId: "p",
  event: "meta",
  headers: {},
} as const;
const told = { status: "handled", note: null, event: "e", action: null, summary: null, outcomes: [] } as const;
const failed = { day: "2026-01-02", source: "slack", failure: "no_secret", count: 2 } as const;
const failures = [null, "trg_1"].map((trigger_id) => ({ ...failed, trigger_id }));
const lease = { run_id: "run_1", generation: 1 };
const push = { id: "push_1", begunAtMs: NOW, lease, number: 0, url: "", branches: [], taken: [], tries: 0 };
const cause = { routine_id: "rtn_1", run_id: "run_1", depth: 0 };
const named = [{ id: 1, name: "acme/app" }];
const change = {
  installation_id: 1,
  account: "acme",
  added: [{ id: 1, full_name: "acme/app", is_private: false }],
  removed: [{ id: 2 }],
};
const signIn = { hash: "h", id: "sgn_1", authority: "owner", expiresAt: LATER, userAgent: null, ip: null };
const actor = { kind: "owner", id: null, name: "owner" } as const;
const using = { routineId: "rtn_1", environmentId: "env_1", runId: "run_1", attempt: 1 };
const ID_OF_OBJECT = "rtn_00000000000000000000000000";

const news = (is_gone: boolean, installation_id: number | null) => {
  const about = { id: 1, name: "acme/app", host: null, is_private: false, installation_id, account: "acme" };
  return {
    ...about,
    event: "push",
    formerly: null,
    is_newcomer: false,
    is_transferred: false,
    is_gone,
    is_unhooked: is_gone,
  };
};

const letters = deadLetterLists(database);
const letter = { id: "occ_1", doc: { fired: null } as DeadLetter, version: 1 };
const notified = notificationLists(database);
const notification = { id: "ntf_1", doc: { status: "sent" } as Notification, version: 1 };
const destination = { by: "webhook", address: "https://example.com/" } as const;
const failure = { error: "", isGone: true, nowMs: NOW };
const due = dueStore(database);
const lists = routineIndex(database);
const deliveries = deliveriesIn(env.BODIES, database);
const shown = deliveryLists(database, kept);
const ins = signIns(askedDatabase(database), async () => ["owner"]);
const secrets = secretStore(askedDatabase(database));
const secretRows = new SecretRows(database);
const madePools = pools(askedDatabase(database));
const madeConnectors = connectors(askedDatabase(database));
const made = madeByKey(database);
const madeEnvironments = environments(askedDatabase(database));
const environment = { ...unchangedDefault(), id: "env_00000000000000000000000001", name: "ci", revision: 1 };
const begun = begunPushStore(database);
const matched = matching(database);
const app = githubApp(database);
const names = repositoryNames(database);
const things = namedThings(database);

/** Every question to D1, in an order in which each finds what it is about. */
const CALLS: Record<string, () => Promise<unknown>> = {
  writeRoutine: () => writeRoutine(database, projected),
  "writeRoutine without a schedule": () => writeRoutine(database, { ...projected, version: 2, dueAt: null }),
  "writeRoutine with one again": () => writeRoutine(database, { ...projected, version: 3 }),
  writeRuns: () => writeRuns(database, "rtn_1", [runDocument]),
  hasOwner: () => hasOwner(database, "000000000000"),
  subscribersOf: () => subscribersOf(database, ["event:one", "github:acme/app:push"]),
  "lists.listRoutines": () => lists.listRoutines({}, PAGE),
  "lists.listRuns": () => lists.listRuns({}, PAGE),
  "lists.listRuns of a routine": () => lists.listRuns({ routineId: "rtn_1" }, PAGE),
  "lists.listRuns of a status": () => lists.listRuns({ statuses: ["queued", "failed"] }, PAGE),
  "lists.listRuns of both": () => lists.listRuns({ routineId: "rtn_1", statuses: ["queued"] }, PAGE),
  "lists.lastRuns": () => lists.lastRuns(["rtn_1", "x1", "x2"]),
  "lists.stats of a routine": () => lists.stats({ routineId: "rtn_1", tag: undefined, fromMs: 0, toMs: LATER }),
  "things.routines": () => things.routines(["one", "rtn_1", "x1"]),
  "things.secrets": () => things.secrets(["ACME"]),
  "connectors.named": () => madeConnectors.named(["linear", "slack"]),
  "connectors.routinesOf": () => madeConnectors.routinesOf("linear", 10),
  "connectors.remove": () => madeConnectors.remove("con_1"),
  "environments.named": () => madeEnvironments.named(["ci", "default"]),
  writeDeadLetters: () => writeDeadLetters(database, "rtn_1", [letter], "occ_1"),
  "letters.list": () => letters.list({ routineId: null, state: "all" }, PAGE),
  "letters.list of the open": () => letters.list({ routineId: null, state: "open" }, PAGE),
  "letters.list of the fired": () => letters.list({ routineId: null, state: "fired" }, PAGE),
  "letters.list of a routine": () => letters.list({ routineId: "rtn_1", state: "open" }, PAGE),
  writeNotifications: () => writeNotifications(database, "rtn_1", [notification], "ntf_1"),
  "notifications.list": () => notified.list({ routineId: null, status: null }, PAGE),
  "notifications.list of a routine": () => notified.list({ routineId: "rtn_1", status: null }, PAGE),
  "notifications.list of a status": () => notified.list({ routineId: null, status: "failed" }, PAGE),
  "notifications.list of both": () => notified.list({ routineId: "rtn_1", status: "sent" }, PAGE),
  "notifications.setRules": () => notified.setRules([], null),
  "notifications.rules": () => notified.rules(),
  noteFailure: () => noteFailure(database, destination, failure),
  readNotificationPlan: () => readNotificationPlan(database),
  noteSuccess: () => noteSuccess(database, destination),
  "notifications.forgetFailing": () => notified.forgetFailing(NOW),
  "lastRunsOf an id": () => lastRunsOf(database, ID_OF_OBJECT, 3),
  "lastRunsOf a name": () => lastRunsOf(database, "one", 3),
  "due.due": () => due.due(NOW, 10, null),
  "due.postpone": () => due.postpone([{ routine_id: "rtn_1", due_at: NOW }], NOW + 1),
  "due.settle": () => due.settle([{ routine_id: "rtn_1", due_at: NOW + 2, version: 3 }]),
  "due.settle of the last": () => due.settle([{ routine_id: "rtn_1", due_at: null, version: 3 }]),
  "due.withRunsBefore": () => due.withRunsBefore("run_2", 10, 0.5),
  "due.unsettled": () => due.unsettled(10, 0.5),
  "matching.notePush": () => matched.notePush(["mark", "other"], cause, 1),
  "matching.causes": () => matched.causes(["mark"]),
  "matching.subscribers": () => matched.subscribers(["event:one"]),
  "matching.forgetPush": () => matched.forgetPush(["other"], cause),
  "due.forgetPushes": () => due.forgetPushes(NOW),
  "deliveries.insert": () => deliveries.insert({ ...delivery, body: new Uint8Array(), ignored: null }, 1),
  "deliveries.takeInPending": async () => {
    const row = { ...delivery, status: "stored", note: null, body: "", sizeBytes: 0, tries: 0, nextAt: 1 };
    await env.BODIES.put("pending/dlv_1", JSON.stringify(row));
    await deliveries.takeInPending();
  },
  "deliveries.claim": () => deliveries.claim(10, NOW),
  "deliveries.read": () => deliveries.read("dlv_1"),
  "deliveries.cameBefore": () => deliveries.cameBefore({ id: "dlv_1", event: "meta", providerId: "p" }),
  "deliveries.postpone": () => deliveries.postpone(["dlv_1"], "later"),
  "deliveries.giveUp": () => deliveries.giveUp("dlv_9", "in vain", NOW),
  "deliveries.finish": () => deliveries.finish([{ ...told, id: "dlv_1", outcomes: [] }]),
  "deliveryLists.list": () => shown.list({}, PAGE),
  "deliveryLists.list of a source": () => shown.list({ source: "event" }, PAGE),
  "deliveryLists.list of a status": () => shown.list({ status: "failed" }, PAGE),
  "deliveryLists.list of both": () => shown.list({ source: "event", status: "ignored" }, PAGE),
  "deliveryLists.list of both, each of many": () => shown.list({ source: "github", status: "failed" }, PAGE),
  "deliveryLists.detail": () => shown.detail("dlv_1"),
  "deliveryLists.addFailures": () => shown.addFailures(failures),
  "deliveryLists.failures": () => shown.failures(10),
  "deliveryLists.forgetFailures": () => shown.forgetFailures(Date.parse("2025-12-31")),
  "deliveries.purge": () => deliveries.purge("dlv_1"),
  "begunPushes.begin": () => begun.begin(push, NOW),
  "begunPushes.owe": () => begun.owe("push_1", [], []),
  "begunPushes.due": () => begun.due(NOW, 10),
  "begunPushes.postpone": () => begun.postpone("push_1", 1, NOW + 1),
  "begunPushes.end": () => begun.end("push_1"),
  "githubApp.note": () => app.note({ ...change, deleted: false, suspended: null, events: ["push"], told_at: 1 }, NOW),
  "githubApp.noteNews": () => app.noteNews([news(false, 1)], NOW),
  "githubApp.noteNews of a webhook": () => app.noteNews([news(false, null)], NOW),
  "githubApp.noteNews of an end": () => app.noteNews([news(true, 1)], NOW),
  "githubApp.list": () => app.list(10, null),
  "githubApp.reachable": () => app.reachable([{ place: "github.com/acme/app", name: "acme/app", id: null }]),
  "names.note": () => names.note(named, NOW),
  "names.noteFormer": () => names.noteFormer([{ id: 1, name: "acme/before" }], NOW),
  "names.othersBefore": () => names.othersBefore([{ id: 2, name: "acme/app" }]),
  "names.formerNames": () => names.formerNames(named),
  "names.routinesNaming": () => names.routinesNaming(["acme/app"]),
  "names.renameOwner": () => names.renameOwner("acme", "acme-two", NOW),
  "signIns.add": () => ins.add(signIn, NOW),
  "signIns.find": () => ins.find("h", NOW),
  "signIns.noteUse": () => ins.noteUse("h", NOW),
  "signIns.list": () => ins.list(PAGE, "h", NOW),
  "signIns.noteSocket": () => ins.noteSocket("h", ID_OF_OBJECT, NOW),
  "signIns.addCode": () => ins.addCode("c", { expiresAt: LATER, madeBy: null, authority: "owner" }, NOW),
  "signIns.takeCode": () => ins.takeCode("c", NOW),
  "signIns.endLapsed": () => ins.endLapsed(NOW),
  "signIns.end": () => ins.end({ id: "sgn_1" }, NOW),
  "signIns.claimOwed": () => ins.claimOwed(10, NOW),
  "signIns.settleOwed": () => ins.settleOwed([{ hash: "h", routineKey: "x", id: ID_OF_OBJECT }]),
  "secrets.keep": () => secrets.keep({ name: "ONE", sealed: "s", source: null, scope: undefined, actor }, NOW),
  "secrets.list": () => secrets.list(PAGE),
  "secrets.find": () => secrets.find("ONE"),
  "secretRows.find": () => secretRows.find(["ONE", "TWO"]),
  "secretRows.noteUse": () => secretRows.noteUse(new Map([["ONE", ["V"]]]), using, NOW),
  "secrets.uses": () => secrets.uses("ONE", PAGE),
  "secrets.sealedAfter": () => secrets.sealedAfter(0, 10),
  "secrets.replaceSealed": () => secrets.replaceSealed({ number: 1, name: "ONE", sealed: "s" }, "t"),
  "secrets.forgetUses": () => secrets.forgetUses(NOW, 100_000),
  "secrets.remove": () => secrets.remove("ONE"),
  "madeByKey.take": () => made.take({ hash: "h", fingerprint: "f", id: "rtn_1" }, NOW),
  "madeByKey.renew": () => made.renew({ hash: "h", before: "rtn_1", id: "rtn_2" }, NOW),
  "madeByKey.forget": () => made.forget(NOW),
  "environments.save of the default": () =>
    madeEnvironments.save(unchangedDefault(), { ...unchangedDefault(), revision: 1 }),
  "environments.save": () => madeEnvironments.save(environment, { ...environment, name: "ci-two", revision: 2 }),
  "environments.find": () => madeEnvironments.find(environment.id),
  "environments.find by name": () => madeEnvironments.find("ci"),
  "environments.list": () => madeEnvironments.list({ limit: 10, cursor: "env_1" }),
  "environments.routinesOf": () => madeEnvironments.routinesOf("ci", 10),
  environmentsNamed: () => environmentsNamed(database, ["default", "ci"]),
  "pools.routinesOf": () => madePools.routinesOf("gpu", 10),
  "pools.remove": () => madePools.remove("gpu", NOW),
  forgetRoutine: () => forgetRoutine(database, "rtn_1", NOW),
  "lists.forget": () => lists.forget("rtn_1", NOW),
  "lists.ids": () => lists.ids("", 10),
  "lists.purgeForgotten": () => lists.purgeForgotten(NOW),
};

it.each(Object.entries(CALLS))("%s reads what it is about", async (_name, call) => {
  const before = executions.length;
  await call();
  const costly = executions.slice(before).filter(({ rowsRead }) => rowsRead > MOST);
  expect(costly).toEqual([]);
  expect(executions.length).toBeGreaterThan(before);
});

/** What no index answers is looked for among so many rows, of which each is read with its place in an index. */
const SEARCHES: Record<string, () => Promise<unknown>> = {
  "runs by text": () => lists.listRuns({ text: "nothing" }, PAGE),
  "runs by text, of two statuses": () => lists.listRuns({ text: "nothing", statuses: ["succeeded", "failed"] }, PAGE),
  "runs by result": () => lists.listRuns({ results: ["blocked"] }, PAGE),
  "runs by trigger": () => lists.listRuns({ triggers: ["schedule"] }, PAGE),
  "routines by text": () => lists.listRoutines({ text: "nothing" }, PAGE),
  "routines by tag": () => lists.listRoutines({ tag: "team:docs" }, PAGE),
  "deliveries by text": () => shown.list({ text: "nothing" }, PAGE),
};

it.each(Object.entries(SEARCHES))("a search of %s reads no more than it says", async (_name, search) => {
  const before = executions.length;
  await search();
  const read = executions.slice(before).map(({ rowsRead }) => rowsRead);
  expect(Math.max(...read)).toBeLessThanOrEqual(SEARCHED_ROWS + MOST);
});

it.each(
  Object.entries({
    due,
    lists,
    letters,
    deliveries,
    deliveryLists: shown,
    signIns: ins,
    begunPushes: begun,
    matching: matched,
    githubApp: app,
    names,
    secrets,
    things,
  }),
)("asks every question of %s", (name, store) => {
  const asked = Object.keys(CALLS).map((call) => call.split(" ")[0]);
  expect(Object.keys(store).filter((method) => !asked.includes(`${name}.${method}`))).toEqual([]);
});

it("has much of everything that grows", async () => {
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{
    name: string;
  }>();
  const tables = results.map(({ name }) => name).filter((name) => !/^(_cf_|sqlite_)/.test(name) && !FEW.includes(name));
  expect(tables.filter((table) => !OTHERS.some((text) => text.startsWith(`INSERT INTO ${table} `)))).toEqual([]);
});
