/** Finds out about a deed of which nothing was heard: the instance was killed while it was under way, or GitHub did not answer. */
import type { RoutineStub } from "#worker/bindings.ts";
import type { AppKeeper } from "#worker/github/kept-app.ts";
import { repositoryAt } from "#worker/github/repository-at.ts";
import type { BegunPush } from "#worker/store/begun-pushes.ts";
import { findDeed } from "./find-deed.ts";
import { type CallParts, GithubCalls } from "./github-calls.ts";

export interface SettleDeedDeps extends CallParts {
  appKeeper: Pick<AppKeeper, "read">;
  /** GitHub's, for instance `https://github.com`. */
  webOrigin: string;
  ownerOf(id: string): RoutineStub;
}

/** @returns whether it is known what became of it. Throws where GitHub does not say. */
export async function settleDeed(deps: SettleDeedDeps, begun: BegunPush, nowMs: number): Promise<boolean> {
  const { deed, url, number, lease, begunAtMs } = begun;
  const at = repositoryAt(url, deps.webOrigin);
  if (deed === null || deed === undefined || at === null) return true;
  const app = await deps.appKeeper.read(nowMs);
  if (!app.ok) throw new Error(app.refusal.reason ?? app.refusal.code);
  // Whoever has taken the App away has nobody who could look.
  if (app.value === null) return true;
  const found = await findDeed(new GithubCalls(deps, app.value), { ...at, url, number, key: "" }, deed, begunAtMs);
  if (!found.ok) throw new Error(found.refusal.reason ?? found.refusal.code);
  if (found.value === null) return false;
  await deps.ownerOf(lease.run_id).endDeed(lease, deed.id, found.value);
  return true;
}
