/** `reveille`: what it offers, how it ends, and what it says of options, files and addresses that can't be. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { main } from "#cli/main.ts";
import { RUNNER_CLOSE } from "#protocol/runner-link.ts";
import { FakeInstance, RUNNER_TOKEN } from "../runner/support/fake-instance.ts";

const TOKEN = "token-of-a-pool-that-nobody-has-0001";

let folder: string;
let server: Server;
/** What the server answers to every request. */
let status = 404;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reveille-cli-"));
  server = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** The program in this process: what it says, and how it ends. */
async function reveille(words: string[], environment: Record<string, string> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = { out: (text: string) => void out.push(text), say: (text: string) => void err.push(text) };
  const code = await main(words, terminal, { HOME: folder, ...environment });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

it.each([
  [["--version"], 0, /^\d+\.\d+\.\d+$/, /^$/],
  [["runner", "--help"], 0, /--token-file <file>/, /^$/],
  [["no-such-command"], 2, /^$/, /unknown command/],
  [["runner", "--no-such-option"], 2, /^$/, /unknown option/],
  [
    ["runner", "--url", "nowhere", "--capacity", "0"],
    2,
    /^$/,
    /^--url \(REVEILLE_URL\): .*\n--token-file \(RUNNER_TOKEN\): .*\n--capacity \(REVEILLE_CAPACITY\): [^\n]*$/,
  ],
  [["runner", "--url", "http://x", "--token-file", "/none"], 2, /^$/, /^--token-file: ENOENT[^\n]*$/],
  // An option goes before the file that a variable names.
  [["runner", "--url", "nowhere", "--token", TOKEN], 2, /^$/, /^--url \(REVEILLE_URL\): [^\n]*$/],
])("%j ends with %i", async (words, code, out, err) => {
  const ended = await reveille(words, words.includes("--token") ? { RUNNER_TOKEN_FILE: "/none" } : {});
  expect(ended).toEqual({ code, out: expect.stringMatching(out), err: expect.stringMatching(err) });
});

it("says that the instance does not serve its version, in the instance's words, and ends", async () => {
  const nowhere = { modelUrl: "http://none.invalid", gitUrl: "http://none.invalid", gitCredential: "" };
  const instance = await FakeInstance.start(nowhere);
  instance.refuses = RUNNER_CLOSE.protocol;
  const words = ["runner", "--url", instance.url, "--token", RUNNER_TOKEN, "--state", join(folder, "old")];
  const ended = await reveille(words, { REVEILLE_SPARES: "0" });
  expect(ended).toMatchObject({
    code: 1,
    err: expect.stringMatching(/does not serve this version .*as the test wants it/),
  });
  await instance.vanish();
});

it("names what answers and is no instance, and a token that is refused, and ends", async () => {
  const file = join(folder, "token");
  writeFileSync(file, `${TOKEN}\n`);
  chmodSync(file, 0o604);
  const words = ["runner", "--url", address(), "--token-file", file, "--state", join(folder, "state")];
  const environment = { REVEILLE_SPARES: "0" };
  const noInstance = await reveille(words, environment);
  expect(noInstance).toMatchObject({
    code: 4,
    err: expect.stringContaining(`${address()} is no instance of Reveille`),
  });
  expect(noInstance.err).toContain(`Everybody on this machine may read ${file}`);
  status = 401;
  const refused = await reveille([...words, "--json"], environment);
  expect(refused).toMatchObject({ code: 3, err: expect.stringContaining(`${address()} does not accept the token`) });
  expect(refused.err).not.toContain("Everybody");
  expect(noInstance.out + noInstance.err + refused.out + refused.err).not.toContain(TOKEN);
});
