/** Rows of D1 whose JSON somebody has spoiled: each is left out or says so, is named in the log, and takes nothing with it. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SecretRows } from "#instance/secrets/secret-rows.ts";
import { call } from "#test/support/api.ts";
import { deliverGithub, pullRequest, someRepository } from "#test/support/deliver.ts";
import { listen } from "#test/support/log-lines.ts";

afterEach(() => void vi.restoreAllMocks());

let made = 0;

async function delivery(): Promise<string> {
  const payload = pullRequest(someRepository(), {});
  const { status, deliveryId } = await deliverGithub({ event: "pull_request", payload });
  expect(status).toBe(202);
  return deliveryId;
}

async function secret(): Promise<string> {
  const name = `SPOILED_${++made}`;
  expect((await call("PUT", `/api/v1/secrets/${name}`, { value: "canary-of-a-spoiled-row" })).status).toBe(200);
  return name;
}

async function environment(): Promise<string> {
  const { status, body } = await call<{ id: string }>("POST", "/api/v1/environments", { name: `spoiled-${++made}` });
  expect(status).toBe(201);
  return body.id;
}

interface Spoiled {
  make(): Promise<string>;
  table: string;
  key: string;
  columns: string[];
  trouble: "row_unreadable" | "secret_unreadable";
  /** Methods and paths, with the answer's status. */
  asked: [method: string, path: (key: string) => string, status: number][];
}

const CASES: [string, Spoiled][] = [
  [
    "a delivery's headers",
    {
      make: delivery,
      table: "deliveries",
      key: "id",
      columns: ["headers"],
      trouble: "row_unreadable",
      asked: [
        ["GET", (id) => `/api/v1/deliveries/${id}`, 404],
        ["POST", (id) => `/api/v1/deliveries/${id}/replay`, 404],
        ["GET", () => "/api/v1/deliveries", 200],
      ],
    },
  ],
  [
    "a delivery's outcomes",
    {
      make: delivery,
      table: "deliveries",
      key: "id",
      columns: ["outcomes"],
      trouble: "row_unreadable",
      asked: [
        ["GET", (id) => `/api/v1/deliveries/${id}`, 404],
        ["GET", () => "/api/v1/deliveries", 200],
        ["GET", () => "/api/v1/deliveries?routine=rtn_00000000000000000000000001", 200],
      ],
    },
  ],
  [
    "a secret's scope and authors",
    {
      make: secret,
      table: "secrets",
      key: "name",
      columns: ["scope", "created_by", "updated_by"],
      trouble: "secret_unreadable",
      asked: [
        ["GET", (name) => `/api/v1/secrets/${name}`, 200],
        ["GET", () => "/api/v1/secrets", 200],
      ],
    },
  ],
  [
    "an environment",
    {
      make: environment,
      table: "environments",
      key: "id",
      columns: ["doc"],
      trouble: "row_unreadable",
      asked: [
        ["GET", (id) => `/api/v1/environments/${id}`, 404],
        ["GET", () => "/api/v1/environments", 200],
      ],
    },
  ],
];

describe.each(["{not json", "7"])("where %s stands in the row", (json) => {
  it.each(CASES)("of %s", async (_name, { make, table, key, columns, trouble, asked }) => {
    const id = await make();
    for (const column of columns) {
      await env.DB.prepare(`UPDATE ${table} SET ${column} = ?2 WHERE ${key} = ?1`).bind(id, json).run();
    }
    const log = listen();
    for (const [method, path, status] of asked) {
      expect([method, path(id), (await call(method, path(id))).status]).toEqual([method, path(id), status]);
    }
    expect(log.troubles(trouble).length).toBeGreaterThan(0);
    expect(log.text()).toContain(id);
    await env.DB.prepare(`DELETE FROM ${table} WHERE ${key} = ?1`).bind(id).run();
  });

  it("of the rules for all routines", async () => {
    await call("PUT", "/api/v1/notifications/rules", { rules: [] });
    await env.DB.prepare("UPDATE notification_rules SET doc = ?1").bind(json).run();
    const log = listen();
    const { status, body } = await call("GET", "/api/v1/notifications/rules");
    expect([status, body]).toEqual([200, { rules: [], revision: 1 }]);
    expect(log.troubles("row_unreadable")).toEqual([{ id: "notification_rules" }]);
    await env.DB.prepare("DELETE FROM notification_rules").run();
  });

  it("of a secret that a run names", async () => {
    const [spoiled, whole] = [await secret(), await secret()];
    await env.DB.prepare("UPDATE secrets SET scope = ?2 WHERE name = ?1").bind(spoiled, json).run();
    const found = await new SecretRows(env.DB).find([spoiled, whole]);
    expect(found.get(spoiled)).toEqual({ name: spoiled, isUnreadable: true });
    expect(found.get(whole)).toMatchObject({ name: whole, scope: {} });
    await env.DB.prepare("DELETE FROM secrets WHERE name = ?1").bind(spoiled).run();
  });
});
