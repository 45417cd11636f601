/** Secrets that a deploy makes, and what its machine keeps of those that are in force. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileIn, keepDeployed, makeSecrets, readMadeSecrets } from "#scripts/deploy/secrets.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("are kept before they are used, for their owner's eyes, and made once", async () => {
  const made = await makeSecrets(folder, {}, ["OWNER_TOKEN", "RUNNER_TOKEN"]);
  expect(await readMadeSecrets(folder)).toEqual({ ok: true, value: made });
  expect(statSync(fileIn(folder)).mode & 0o777).toBe(0o600);
  expect(await makeSecrets(folder, made, ["OWNER_TOKEN"])).toEqual(made);
});

it.each([
  [
    "one that was given in the place of a made one",
    { RUNNER_TOKEN: "given" },
    { OWNER_TOKEN: "o", RUNNER_TOKEN: "given" },
  ],
  [
    "one that was given where none was made",
    { SIGNING_KEY: "s" },
    { OWNER_TOKEN: "o", RUNNER_TOKEN: "r", SIGNING_KEY: "s" },
  ],
  ["none that no deploy can make", { ANTHROPIC_API_KEY: "k" }, { OWNER_TOKEN: "o", RUNNER_TOKEN: "r" }],
  ["what there was, where nothing is given", {}, { OWNER_TOKEN: "o", RUNNER_TOKEN: "r" }],
])("that are in force since an upload are kept: %s", async (_what, given, kept) => {
  const made = { OWNER_TOKEN: "o", RUNNER_TOKEN: "r" };
  await keepDeployed(folder, {}, made);
  await keepDeployed(folder, made, { ...made, ...given });
  expect(await readMadeSecrets(folder)).toEqual({ ok: true, value: kept });
});

it("that this machine does not know leave no file", async () => {
  await keepDeployed(folder, {}, { ANTHROPIC_API_KEY: "k" });
  expect(await readMadeSecrets(folder)).toEqual({ ok: true, value: {} });
});
