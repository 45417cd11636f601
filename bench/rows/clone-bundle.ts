/** Whether a container's second clone is faster from a bundle in R2: what decision 18 refuses. Both ways lead through a worker. */
import { randomBytes } from "node:crypto";
import { createWriteStream, openAsBlob, rmSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import type { Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { chosenMiB, git, makeLargeRepository } from "../support/git.ts";
import { scratchPath } from "../support/scratch.ts";
import { serveBare } from "../support/served.ts";
import { median } from "../support/statistics.ts";

export const cloneBundle: Row = {
  id: "clone-bundle",
  title: "a second clone of a large repository: a bundle out of R2 and a fetch of what is new",
  baseline: "a plain clone through the same worker",
  rounds: 3,
  measure: async (rounds) => {
    await using stack = new AsyncDisposableStack();
    const mib = chosenMiB();
    const credential = `bench:${randomBytes(20).toString("hex")}`;
    const root = scratchPath("upstream");
    const bare = path.join(root, "app.git");
    await makeLargeRepository(bare, mib);
    const upstream = await startGitServer({ root, credential, port: 0 });
    stack.defer(() => upstream.close());
    const served = stack.use(await serveBare("bundle"));
    const bundle = scratchPath("kept.bundle");
    // What was kept lacks the newest commits.
    await git("-C", bare, "branch", "kept", "main~5");
    await git("-C", bare, "bundle", "create", "--quiet", bundle, "kept");
    const put = await fetch(`${served.url}/bundle`, { method: "PUT", body: await openAsBlob(bundle) });
    if (put.status !== 204) throw new Error(`The bundle was not kept: ${put.status}.`);
    rmSync(bundle);
    const url = `${served.url.replace("//", `//${credential}@`)}/git/${upstream.port}/app.git`;
    const times = { plain: [] as number[], bundled: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      for (const way of ["plain", "bundled"] as const) {
        const place = scratchPath(way);
        const startedAt = nowMs();
        await (way === "plain" ? clonePlainly(url, place) : cloneFromBundle(served.url, url, place));
        times[way].push(nowMs() - startedAt);
        rmSync(place, { recursive: true });
      }
    }
    const [ours, baseline] = [median(times.bundled), median(times.plain)];
    return [{ what: `from a bundle, ${mib} MiB`, unit: "ms", ours, baseline, goal: null }];
  },
};

function clonePlainly(url: string, place: string): Promise<void> {
  return git("clone", "--quiet", "--single-branch", "--branch=main", url, place);
}

async function cloneFromBundle(workerUrl: string, url: string, place: string): Promise<void> {
  const bundle = scratchPath("fetched.bundle");
  const { body } = await fetch(`${workerUrl}/bundle`);
  if (body === null) throw new Error("There is no bundle.");
  await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(bundle));
  await git("clone", "--quiet", "--no-checkout", "--branch=kept", bundle, place);
  await git("-C", place, "fetch", "--quiet", url, "+refs/heads/main:refs/remotes/origin/main");
  await git("-C", place, "reset", "--quiet", "--hard", "refs/remotes/origin/main");
  rmSync(bundle);
}
