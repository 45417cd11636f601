/**
 * `npm run keep-state -- CHECKOUT NAME`: runs the instance of a checkout for a while, and keeps what it has stored by then as
 * a fixture in test/fixtures/states/NAME. The tests open today's code on each (test/objects/landed-states.test.ts).
 *
 * What is stored is the checkout's own doing; beside its API nothing of it is used, so that any version can be asked.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { startProgram } from "./child-process.ts";
import { drawFreePort } from "./instance/ports.ts";
import { toolEnvironment } from "./instance/tool-environment.ts";
import { dumpState } from "./keep-state/dump.ts";
import { playStory } from "./keep-state/story.ts";
import { messageOf } from "./outcome.ts";
import { complain, say } from "./terminal.ts";

const START_DEADLINE_MS = 120_000;
const STOP_GRACE_MS = 20_000;

/** The tests' own (vitest.config.ts), so that what was derived from them holds there too. */
const SECRETS = {
  OWNER_TOKEN: "owner-token-of-the-tests-0123456789abcdef",
  SIGNING_KEY: "signing-key-of-the-tests-0123456789abcdef",
  RUNNER_TOKEN: "runner-token-of-the-tests-0123456789abcdef",
};

const root = path.dirname(import.meta.dirname);
const given = z.tuple([z.string(), z.string().regex(/^[a-z0-9-]+$/)]).safeParse(process.argv.slice(2));
if (given.success) await main(path.resolve(given.data[0]), given.data[1]);
else complain("npm run keep-state -- CHECKOUT NAME: a folder with its node_modules, and a name like 0003-triggers.");
process.exit(process.exitCode ?? (given.success ? 0 : 1));

async function main(checkout: string, name: string): Promise<void> {
  const state = await mkdtemp(path.join(tmpdir(), "reveille-state-"));
  try {
    const shown = await runInstance(checkout, state);
    const folder = path.join(root, "test", "fixtures", "states", name);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    // Where a machine keeps its files is nobody's business, and not what is tested.
    const clean = (text: string) => text.replaceAll(state, "/state").replaceAll(checkout, "/reveille");
    for (const [file, sql] of dumpState(path.join(state, "storage", "v3"))) {
      await writeFile(path.join(folder, `${file}.sql`), clean(sql));
      say(`${file}: ${sql.length} characters`);
    }
    await writeFile(path.join(folder, "shown.json"), clean(`${JSON.stringify(shown, null, 2)}\n`));
  } catch (error) {
    complain(messageOf(error));
    process.exitCode = 1;
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function runInstance(checkout: string, state: string) {
  const port = await drawFreePort();
  const started = Promise.withResolvers<void>();
  const instance = startProgram(process.execPath, [path.join("scripts", "start.ts")], {
    cwd: checkout,
    env: { ...toolEnvironment(), ...SECRETS, PORT: String(port), REVEILLE_STATE: state, REVEILLE_CAPACITY: "2" },
    firstLine: "",
    onLine: (line) => {
      say(line);
      if (line.startsWith("Ctrl-C")) started.resolve();
    },
  });
  const late = AbortSignal.timeout(START_DEADLINE_MS);
  late.addEventListener("abort", () => started.reject(new Error("the instance did not start")));
  instance.ended.then(() => started.reject(new Error("the instance ended")));
  try {
    await started.promise;
    return await playStory({ origin: `http://127.0.0.1:${port}`, ownerToken: SECRETS.OWNER_TOKEN });
  } finally {
    await instance.stop(STOP_GRACE_MS);
  }
}
