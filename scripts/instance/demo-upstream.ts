/** The demo's upstream as a part of a local instance: on the port that it had before, if that is free. */
import path from "node:path";
import { z } from "zod";
import { DEMO_REPOSITORY } from "#scripts/demo-upstream/demo-history.ts";
import { type GitServer, startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { type PushWebhooks, startPushWebhooks, type WebhookTarget } from "#scripts/demo-upstream/push-webhooks.ts";
import { seedDemoRepository } from "#scripts/demo-upstream/seed-repository.ts";
import { codeOf, failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";
import { readStateFile, writeStateFile } from "./state-folder.ts";

const placeSchema = z.object({ port: z.int().min(1).max(65_535) });

export interface DemoUpstreamOptions {
  stateFolder: string;
  /** `user:password`. */
  credential: string;
  /** Where pushes are told of. */
  webhook: WebhookTarget;
  /** Takes lines for the person at the terminal. */
  say: (line: string) => void;
  signal: AbortSignal;
}

export interface DemoUpstream {
  /** The upstream's origin. */
  url: string;
  repository: { url: string; path: string };
  close: () => Promise<void>;
}

export async function startDemoUpstream(options: DemoUpstreamOptions): Promise<Outcome<DemoUpstream>> {
  const { stateFolder, credential, webhook, say, signal } = options;
  const root = path.join(stateFolder, "upstream");
  const seeded = await seedDemoRepository(root, signal);
  if (!seeded.ok) return failed(`The demo repository could not be made: ${seeded.message}`);
  // Routines remember the upstream's address, so it keeps its port over restarts.
  const file = path.join(stateFolder, "upstream.json");
  const remembered = await readStateFile(file, placeSchema);
  const port = remembered.ok ? (remembered.value?.port ?? 0) : 0;
  let listening: GitServer | null = null;
  const webhooks = await startPushWebhooks({
    root,
    repositories: [DEMO_REPOSITORY],
    address: () => listening?.url ?? null,
    target: webhook,
    complain: say,
  });
  const server = await listen({ root, credential, webhooks }, port);
  if (!server.ok) return server;
  listening = server.value;
  if (server.value.port !== port) await writeStateFile(file, { port: server.value.port });
  return succeeded({
    url: server.value.url,
    repository: { url: `${server.value.url}/${DEMO_REPOSITORY}.git`, path: seeded.path },
    close: async () => {
      await server.value.close();
      await webhooks.close();
    },
  });
}

async function listen(
  parts: { root: string; credential: string; webhooks: PushWebhooks },
  port: number,
): Promise<Outcome<GitServer>> {
  const { root, credential, webhooks } = parts;
  try {
    return succeeded(await startGitServer({ root, credential, port, onReceived: webhooks.received }));
  } catch (error) {
    if (port !== 0 && codeOf(error) === "EADDRINUSE") return await listen(parts, 0);
    return failed(`The demo upstream could not listen: ${messageOf(error)}`);
  }
}
