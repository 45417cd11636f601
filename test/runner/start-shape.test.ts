/** For which runs an agent can be prepared, and what a run tells of those to come. */
import { describe, expect, it } from "vitest";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import type { Clone } from "#sandbox-runner/git/clone-plan.ts";
import { expectedAfter, shapeOf, tellsOfRoutine, wantedKey, wantedOf } from "#sandbox-runner/prepared/start-shape.ts";
import { ENVIRONMENT, runOrder } from "./support/run-order.ts";
import { newSession } from "./support/sessions.ts";

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
const ids = new IdMaker(drawOwnerKey(random), random);
const OPEN = { ...ENVIRONMENT, variables: {} };
const order = (repositories: string[], changes: Partial<RunOrder> = {}) =>
  runOrder(ids, "none", repositories, { environment: OPEN, ...changes });
const url = "https://code.example.com/app";
const COMMIT = "a".repeat(40);
const CLONE: Clone = {
  ...{ url, folder: "/workspace/app", commit: "b".repeat(40), base: COMMIT, branch: "main", defaultBranch: "main" },
  ...{ isShallow: true, depth: 50, paths: null },
};

function checkout(changes: Partial<NonNullable<RunOrder["checkout"]>> = {}): NonNullable<RunOrder["checkout"]> {
  return { repository: url, ref: "refs/pull/7/head", commit: COMMIT, is_fork: false, trusted_ref: null, ...changes };
}

describe("an agent can be prepared for a run", () => {
  it.each<[string, RunOrder, { alone: boolean; inCopy: boolean }]>([
    ["without a repository", order([]), { alone: true, inCopy: true }],
    ["with one, in a copy of it", order(["app"]), { alone: false, inCopy: true }],
    ["not with several", order(["app", "lib"]), { alone: false, inCopy: false }],
    ["not with connectors", order(["app"], { mcp_servers: ["linear"] }), { alone: false, inCopy: false }],
    ["not with variables", order(["app"], { environment: ENVIRONMENT }), { alone: false, inCopy: false }],
    [
      "not with a setup script",
      order(["app"], { environment: { ...OPEN, setup: { script: "true", cache_key: "a".repeat(64) } } }),
      { alone: false, inCopy: false },
    ],
  ])("%s", (_which, run, can) => {
    expect({ alone: shapeOf(run) !== null, inCopy: wantedOf(run) !== null }).toEqual(can);
  });
});

describe("what waits for one run is for another", () => {
  it.each<[string, RunOrder, boolean]>([
    ["of the same kind with the same repository", order(["app"], { task: "Another task." }), true],
    ["not without it", order([]), false],
    ["not with another", order(["lib"]), false],
    ["not at another branch", order([], { repositories: [{ url, branch: "side" }] }), false],
    ["not as deep", order([], { repositories: [{ url, depth: 1 }] }), false],
    ["not with some folders of it", order([], { repositories: [{ url, paths: ["src"] }] }), false],
    [
      "not about a commit that is to be merged into a branch",
      order(["app"], { checkout: checkout({ trusted_ref: "refs/heads/side" }) }),
      false,
    ],
    ["not about a stranger's commit", order(["app"], { checkout: checkout({ is_fork: true }) }), false],
    ["not of another model", order(["app"], { model: "another" }), false],
  ])("%s", (_which, run, isSame) => {
    const keyOf = (one: RunOrder) => {
      const wanted = wantedOf(one);
      if (wanted === null) throw new Error("no agent can be prepared for it");
      return wantedKey(wanted);
    };
    expect(keyOf(run) === keyOf(order(["app"]))).toBe(isSame);
  });
});

describe("a run tells, once it has cloned,", () => {
  it.each<[string, RunOrder, Partial<Clone>, object | null]>([
    [
      "the branch's newest commit, not the one it is about",
      order(["app"], { checkout: checkout() }),
      {},
      { commit: COMMIT },
    ],
    ["nothing without a repository", order([]), {}, null],
    ["nothing of a repository without a commit", order(["app"]), { commit: null, base: null }, null],
    ["nothing where HEAD is no branch", order(["app"]), { branch: null }, null],
  ])("%s", (_what, run, changes, copy) => {
    const clones = run.repositories.map(() => ({ ...CLONE, ...changes }));
    const expected = expectedAfter(run, clones)?.copy ?? null;
    expect(copy === null ? expected : { commit: expected?.commit }).toEqual(copy);
  });

  it("and nothing when it goes on with a conversation", () => {
    const { conversation } = newSession();
    const resume = { sdk_version: "0", calls: [] } as unknown as NonNullable<RunOrder["conversation"]>["resume"];
    expect(conversation).toBeDefined();
    if (conversation === undefined) return;
    const goesOn = order(["app"], { conversation: { ...conversation, resume } });
    expect([order(["app"]), order(["app"], { conversation }), goesOn].map(tellsOfRoutine)).toEqual([true, true, false]);
  });
});
