/** An instance whose configuration is at fault says so, with every fault at once and no value. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "#worker/app.ts";
import type { Env } from "#worker/bindings.ts";
import { errorOf } from "./support.ts";

function askFaulty(path: string, faults: Partial<Env>): Promise<Response> {
  const request = new Request(`http://reveille.test${path}`);
  return Promise.resolve(app.fetch(request, { ...env, ...faults }, createExecutionContext()));
}

const faults = {
  OWNER_TOKEN: "short-secret",
  PUBLIC_URL: "not an address",
  GIT_CREDENTIALS: "{not json",
  FIRE_BURST: "-1",
};

describe("an instance with a faulty configuration", () => {
  it.each(["/", "/docs", "/api/v1/routines", "/runner/pool", "/proxy/x/model/v1/messages", "/nothing"])(
    "answers %s with every fault at once",
    async (path) => {
      const error = await errorOf(await askFaulty(path, faults));
      expect(error).toMatchObject({ status: 500, type: "api_error", details: { code: "misconfigured" } });
      expect(error.details?.issues?.map(({ field }) => field).sort()).toEqual(Object.keys(faults).sort());
      const told = JSON.stringify(error);
      for (const value of Object.values(faults)) expect(told).not.toContain(value);
    },
  );

  it.each([
    ["a deployed", "", "0a1b"],
    ["a local", "1", undefined],
  ])("tells as %s instance which of its versions answers, if it has any", async (_kind, LOCAL_INSTANCE, deployment) => {
    const DEPLOYED_VERSION = { id: "0a1b", tag: "", timestamp: "" };
    const answer = await askFaulty("/healthz", { LOCAL_INSTANCE, DEPLOYED_VERSION });
    expect(await answer.json()).toMatchObject({ ok: true });
    expect(await (await askFaulty("/readyz", { LOCAL_INSTANCE, DEPLOYED_VERSION })).json()).toEqual(
      deployment === undefined ? { ok: true, version: "0.1.0" } : { ok: true, version: "0.1.0", deployment },
    );
  });

  it.each([
    [{ CONTAINERS: "3", PUBLIC_URL: "" }, ["PUBLIC_URL"]],
    [{ CONTAINERS: "3" }, ["PUBLIC_URL"]],
    [{ CONTAINERS: "3", PUBLIC_URL: "", LOCAL_INSTANCE: "1" }, []],
    [{ CONTAINERS: "3", PUBLIC_URL: "https://reveille.example" }, []],
    [{ CONTAINERS: "0" }, []],
    [{ CONTAINERS: "" }, []],
    [{}, []],
  ])("wants its address where runs work in containers, which do not see it: %o", async (given, wanted) => {
    const answer = await askFaulty("/readyz", { LOCAL_INSTANCE: "", PUBLIC_URL: "", ...given });
    const issues = answer.status === 200 ? [] : ((await errorOf(answer)).details?.issues ?? []);
    expect(issues.map(({ field }) => field)).toEqual(wanted);
  });

  it("still tells that it is up", async () => {
    expect((await askFaulty("/healthz", faults)).status).toBe(200);
  });
});
