/** Git hosts that behave in ways that hosts are known for (support/odd-upstream.ts): one run for each. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { noSandbox } from "../runner/support/bed.ts";
import { seedUpstream } from "../runner/support/upstream.ts";
import { RepositoriesBed, type Row } from "./support/repositories-bed.ts";

const plain = (root: string, name: string) => void seedUpstream(root, name, { "README.md": "# App\n" });

const rows: Row[] = [
  {
    kind: "that is not there",
    seed: (root, name) => rmSync(join(root, `${name}.git`), { recursive: true, force: true }),
    script: [],
    expected: { error: "clone_failed", says: /not found|no such repository/, notices: ["not_found"] },
  },
  {
    kind: "behind a sign-in page",
    seed: plain,
    repositories: (name) => [{ path: `sign-in/${name}` }],
    script: [],
    expected: { error: "clone_failed", says: "text/html in place of git", notices: ["proxy_refused"] },
  },
  {
    kind: "behind a redirect to a sign-in page",
    seed: plain,
    repositories: (name) => [{ path: `sign-in-elsewhere/${name}` }],
    script: [],
    expected: { error: "clone_failed", says: "a redirect to another page", notices: ["proxy_refused"] },
  },
];

describe.skipIf(noSandbox !== null)("a repository", { concurrent: true }, () => {
  let bed: RepositoriesBed;
  beforeAll(async () => {
    bed = await RepositoriesBed.make();
  });
  afterAll(() => bed.close());

  it.each(rows)("$kind", (row) => bed.try(row));
});
