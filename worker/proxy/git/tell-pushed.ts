/** Tells a run's object which branches the upstream has taken. The object records each push once, however often it is told. */
import type { Push } from "#durable-objects/routine/sessions/session-branches.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { RoutineStub } from "#worker/bindings.ts";
import type { BegunPush } from "#worker/store/begun-pushes.ts";

const TELL_MS = 10_000;

/** @returns what became of it. @throws Error when the object has not taken it in, and is to be told again. */
export async function tellPushed(
  ownerOf: (id: string) => Pick<RoutineStub, "recordPushes">,
  { id, begunAtMs, lease, number }: BegunPush,
  branches: Push[],
): Promise<"recorded" | "refused"> {
  if (branches.length === 0) return "recorded";
  const told = ownerOf(lease.run_id).recordPushes(lease, number, branches, { id, begunAtMs });
  const answer = await withinDeadline(told, TELL_MS, "the routine");
  if (answer.ok) return "recorded";
  // The object has no such run. Every other refusal passes: a table that is not up to date, perhaps.
  if (answer.refusal.code === "proxy_token_refused") return "refused";
  throw new Error(answer.refusal.code);
}
