/** Asks many routines' objects the same, side by side. */
import { withinDeadline } from "#instance/in-time.ts";
import type { Result } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";

/** An object that has not answered by then is named in the answer, and holds up no other. In milliseconds. */
const DEADLINE_MS = 8_000;

export interface Asked<Value> {
  answers: { id: string; answer: Result<Value> }[];
  /** Those that have not answered, or have refused. */
  failed: { routine_id: string; why: string }[];
}

/** @param trouble what the log tells of an object that does not answer. */
export async function askRoutines<Value>(
  ids: readonly string[],
  trouble: "index_not_rebuilt" | "secrets_not_encrypted_anew",
  ask: (id: string) => Promise<Result<Value>>,
): Promise<Asked<Value>> {
  const found: Asked<Value> = { answers: [], failed: [] };
  const asked = ids.map(async (id) => {
    try {
      const answer = await withinDeadline(ask(id), DEADLINE_MS, "the routine's object");
      found.answers.push({ id, answer });
      if (!answer.ok) found.failed.push({ routine_id: id, why: answer.refusal.code });
    } catch (error) {
      logTrouble(trouble, { routine_id: id }, error);
      found.failed.push({ routine_id: id, why: "the routine's object does not answer" });
    }
  });
  await Promise.all(asked);
  return found;
}
