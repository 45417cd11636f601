/** Presses of buttons under notifications, where the chat tells of them by a trigger's endpoint: they answer, and wake nothing. */
import { withinDeadline } from "#instance/in-time.ts";
import { readShortToken } from "#instance/notifications/short-answer-token.ts";
import { API_ERRORS } from "#protocol/api-errors.ts";
import type { HttpContext } from "../http/http-env.ts";
import type { InboundRequest, Listener, ListenerAnswer } from "./sources/listener.ts";

/** Discord waits for three seconds. */
const ANSWER_DEADLINE_MS = 2_000;

/**
 * @param request verified. @returns what the chat is answered; null for what is no press of a button of ours.
 * @throws NoAnswer where the routine's object is not there in time: the chat tells again, or says that it failed.
 */
export async function answerPress(
  c: HttpContext,
  listener: Listener,
  request: InboundRequest,
): Promise<ListenerAnswer | null> {
  const press = listener.press?.(request) ?? null;
  if (press === null) return null;
  const { config, ownerOf } = c.var.deps;
  const offered = await readShortToken(config.signingKeys, press.token);
  if (offered === null) return null;
  const { run_id: runId, mark, answer } = offered;
  const by = { kind: press.kind, id: null, name: press.who };
  const answered = await withinDeadline(
    ownerOf(runId).answerFromChat({ mark, answer, by }),
    ANSWER_DEADLINE_MS,
    "the routine's object",
  );
  if (answered.ok) return press.answered(answered.value.question, answered.value.outcome);
  return press.refused(answered.refusal.message ?? API_ERRORS[answered.refusal.code].message);
}
