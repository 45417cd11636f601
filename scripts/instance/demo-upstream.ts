/** The demo's upstream as a part of a local instance: on the port that it had before, if that is free. */
import path from "node:path";
import { z } from "zod";
import { DEMO_REPOSITORY } from "#scripts/demo-upstream/demo-history.ts";
import { type GitServer, startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { seedDemoRepository } from "#scripts/demo-upstream/seed-repository.ts";
import { codeOf, failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";
import { readStateFile, writeStateFile } from "./state-folder.ts";

const placeSchema = z.object({ port: z.int().min(1).max(65_535) });

export interface DemoUpstream {
  server: GitServer;
  repository: { url: string; path: string };
}

/** @param credential `user:password`. */
export async function startDemoUpstream(
  stateFolder: string,
  credential: string,
  signal: AbortSignal,
): Promise<Outcome<DemoUpstream>> {
  const root = path.join(stateFolder, "upstream");
  const seeded = await seedDemoRepository(root, signal);
  if (!seeded.ok) return failed(`The demo repository could not be made: ${seeded.message}`);
  // Routines remember the upstream's address, so it keeps its port over restarts.
  const file = path.join(stateFolder, "upstream.json");
  const remembered = await readStateFile(file, placeSchema);
  const port = remembered.ok ? (remembered.value?.port ?? 0) : 0;
  const server = await listen(root, credential, port);
  if (!server.ok) return server;
  if (server.value.port !== port) await writeStateFile(file, { port: server.value.port });
  const url = `${server.value.url}/${DEMO_REPOSITORY}.git`;
  return succeeded({ server: server.value, repository: { url, path: seeded.path } });
}

async function listen(root: string, credential: string, port: number): Promise<Outcome<GitServer>> {
  try {
    return succeeded(await startGitServer({ root, credential, port }));
  } catch (error) {
    if (port !== 0 && codeOf(error) === "EADDRINUSE") return await listen(root, credential, 0);
    return failed(`The demo upstream could not listen: ${messageOf(error)}`);
  }
}
