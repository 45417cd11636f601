/** What an instance has left behind when it has ended: no secret of it is where none may be. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { filesWithSecrets } from "./files-with-secrets.ts";

/** They may hold secrets, and are for their owner alone. */
const SECRETS_FILE = "secrets.json";
const FILES_WITH_SECRETS = [SECRETS_FILE, "local.json"];

/**
 * Its databases, objects, bodies, logs, repositories, caches and what runs have left there.
 * @param said what it has said of itself. @param more secrets beside those that it has drawn.
 */
export function assertNoSecrets(state: string, said: string, more: readonly string[] = []): void {
  const drawn = Object.values<string>(JSON.parse(readFileSync(path.join(state, SECRETS_FILE), "utf8")));
  assert.ok(drawn.length >= 3);
  assert.deepEqual(filesWithSecrets(state, [...drawn, ...more], FILES_WITH_SECRETS), []);
  for (const secret of [...drawn, ...more]) assert.ok(!said.includes(secret), "what it says holds a secret");
}
