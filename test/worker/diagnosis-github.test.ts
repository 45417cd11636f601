/** What an instance finds of its GitHub App: none, a key that can't be used, installed nowhere, or well. */
import { describe, expect, it, vi } from "vitest";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { FakeGithub } from "#test/support/fake-github.ts";
import { diagnose } from "#worker/diagnosis/diagnose.ts";
import { githubAppCheck } from "#worker/diagnosis/github-app.ts";
import { githubRequest } from "#worker/github/github-api.ts";
import type { KeptApp } from "#worker/github/kept-app.ts";
import { toPkcs8 } from "#worker/github/private-key.ts";

const NOW_MS = Date.parse("2026-11-25T10:00:00.000Z");

describe("the GitHub App", () => {
  const app = { name: "R", html_url: "https://github.com/apps/r", id: 1, private_key: "none" } as KeptApp;
  const unreadable = refuse("secret_unreadable", { message: "It can't be decrypted." });
  const look = (read: Result<KeptApp | null>, config: object = {}) =>
    diagnose([
      githubAppCheck({
        config: { gitCredentials: new Map(), isLocal: false, publicUrl: null, ...config },
        appKeeper: { read: async () => read },
        github: githubRequest("https://api.github.test"),
        now: () => NOW_MS,
      }),
    ]);

  it.each<[string, Result<KeptApp | null>, object, unknown[]]>([
    ["there is none, nor another credential", success(null), {}, [["warning", /no credential/]]],
    [
      "there is none, and another credential",
      success(null),
      { gitCredentials: new Map([["https://a.test", "u:p"]]) },
      [],
    ],
    ["there is none, locally", success(null), { isLocal: true }, []],
    ["its key can't be decrypted", unreadable, {}, [["fault", /decrypted/]]],
    ["its key can't be used", success(app), {}, [["fault", /does not accept the key of the GitHub App R/]]],
  ])("is told when %s", async (_what, read, config, expected) => {
    const found = await look(read, config);
    expect(found.map(({ status, message }) => [status, message])).toEqual(
      expected.map((one) =>
        (one as [string, RegExp]).map((part) => (typeof part === "string" ? part : expect.stringMatching(part))),
      ),
    );
  });

  it.each<[string, FakeGithub["installations"], string, RegExp]>([
    ["is installed nowhere", [], "warning", /installed nowhere/],
    ["is suspended", [{ id: 1, account: "acme", repositories: "all", isSuspended: true }], "warning", /suspended/],
    ["is installed", [{ id: 1, account: "acme", repositories: "all" }], "ok", /installed on acme/],
  ])("is told when it %s", async (_what, installations, status, words) => {
    const github = new FakeGithub();
    github.installations.push(...installations);
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => github.answer(new Request(input, init)));
    const private_key = toPkcs8(await github.drawKey()) ?? "";
    expect(await look(success({ ...app, id: github.app.id, private_key }))).toMatchObject([
      { status, message: expect.stringMatching(words) },
    ]);
    github.trouble = () => new Response("", { status: 502 });
    expect(await look(success({ ...app, id: github.app.id, private_key }))).toMatchObject([{ status: "warning" }]);
  });

  it.each<[string, string, string | null, unknown[]]>([
    ["here", "https://r.test/webhooks/github", "https://r.test/", ["ok"]],
    ["where the instance was before", "https://old.test/webhooks/github", "https://r.test", ["warning"]],
    ["to another path", "https://r.test/webhooks", "https://r.test", ["warning"]],
    ["nowhere", "", "https://r.test", ["warning"]],
    ["somewhere, and no address is set", "https://old.test/webhooks/github", null, []],
  ])("is told when its webhooks go %s", async (_what, url, publicUrl, statuses) => {
    const github = new FakeGithub();
    github.installations.push({ id: 1, account: "acme", repositories: "all" });
    github.webhookUrl = url;
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => github.answer(new Request(input, init)));
    const kept = success({ ...app, id: github.app.id, private_key: toPkcs8(await github.drawKey()) ?? "" });
    const found = (await look(kept, { publicUrl })).slice(1);
    expect(found.map(({ check, status }) => [check, status])).toEqual(statuses.map((one) => ["github_webhooks", one]));
    github.trouble = (call) => (call.endsWith("/hook/config") ? new Response("", { status: 502 }) : null);
    expect((await look(kept, { publicUrl })).map(({ status }) => status)).toEqual(
      publicUrl === null ? ["ok"] : ["ok", "unknown"],
    );
  });
});
