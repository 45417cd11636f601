/** An attempt's sandbox in a process of its own, for the setup script of one run. */
import { randomUUID } from "node:crypto";
import { DEFAULT_ENVIRONMENT_ID } from "#protocol/environment.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { createRunFolder, removeRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { openRuntimeSandbox } from "#sandbox-runner/sandbox/runtime-sandbox.ts";
import { FolderStore } from "#sandbox-runner/setup/folder-store.ts";
import { setUp } from "#sandbox-runner/setup/set-up.ts";
import { nowMs } from "./clock.ts";
import { serveHelper } from "./serve-helper.ts";

const BOUNDS = { processes: 200, memory_mib: 1_000, disk_mib: 4_000 };
const NOWHERE = 9;
const DEADLINE_MS = 600_000;

export interface SetupOrder {
  stateFolder: string;
  script: string;
  cacheKey: string;
}

const face = {
  /** @returns how long it took until the home was prepared, and whether by what was kept. */
  async prepare({ stateFolder, script, cacheKey }: SetupOrder): Promise<{ ms: number; cache: string }> {
    const mark = `bench-${randomUUID()}`;
    const folder = await createRunFolder(stateFolder, mark, { pid: process.pid, startTime: null });
    const { signal } = new AbortController();
    const opened = await openRuntimeSandbox(folder, mark, NOWHERE, BOUNDS, signal);
    if (!opened.ok) throw new Error(opened.reason);
    const events: RunnerEvent[] = [];
    const startedAt = nowMs();
    const error = await setUp({
      environment: {
        id: DEFAULT_ENVIRONMENT_ID,
        name: "default",
        revision: 0,
        network: { level: "none", allow: [] },
        variables: {},
        secret_values: [],
        setup: { script, cache_key: cacheKey },
      },
      mark,
      folder: { ...folder, home: opened.sandbox.home ?? folder.home },
      sandbox: opened.sandbox,
      deadlineMs: DEADLINE_MS,
      keepDeadlineMs: DEADLINE_MS,
      store: new FolderStore({ stateFolder }),
      signal,
      onEvent: (event) => events.push(event),
    });
    const ms = nowMs() - startedAt;
    await opened.sandbox.close();
    await removeRunFolder(folder.root);
    if (error !== null) throw new Error(error.message);
    const notice = events.find((event) => event.type === "notice");
    if (notice?.type === "notice") throw new Error(notice.message);
    const caches = events.flatMap((event) => (event.type === "run.step" ? [event.cache ?? ""] : []));
    return { ms, cache: caches.find((cache) => cache !== "") ?? "" };
  },
};
export type SetupPlaceFace = typeof face;

serveHelper(face);
