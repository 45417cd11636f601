/**
 * Presses of buttons in Slack's messages: answers to what agents ask.
 * @see https://docs.slack.dev/interactivity/handling-user-interaction "Handling user interaction in your Slack apps"
 */
import { z } from "zod";
import { withinDeadline } from "#instance/in-time.ts";
import { readAnswerToken } from "#instance/notifications/answer-token.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { parseJson } from "#rules/json.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { errorResponses } from "../http/openapi/refusals.ts";
import { readBytes } from "../http/read-bytes.ts";
import { renderRefusal } from "../http/render-error.ts";
import { verifySlackRequest } from "../inbound/sources/slack.ts";

const PATH = "/webhooks/slack/interactive";
/** A press comes with the whole message, which has 50 blocks at most. */
const BODY_LIMIT_BYTES = 2 ** 19;
/** Slack waits for three seconds. */
const ANSWER_DEADLINE_MS = 2_000;

const RESPONSE_URL = /^https:\/\/hooks\.slack(?:-gov)?\.com\/[!-~]{1,500}$/;
const pressSchema = z.object({
  type: z.literal("block_actions"),
  user: z.object({ id: z.string().regex(/^[A-Z0-9]{1,30}$/), username: z.string().optional() }),
  actions: z.array(z.object({ value: z.string().max(2_000).optional() })).min(1),
  response_url: z.string().regex(RESPONSE_URL),
});

export function mountSlackButtons(app: App): void {
  app.openAPIRegistry.registerPath({
    method: "post",
    path: PATH,
    operationId: "pressSlackButton",
    tags: ["Webhooks"],
    summary: "Presses of buttons in Slack's messages",
    description: "Signed with SLACK_SIGNING_SECRET, as Slack signs: docs/notifications.md.",
    security: [],
    requestBody: {
      required: true,
      content: { "*/*": { schema: {}, example: "payload=%7B%22type%22%3A%22block_actions%22%7D" } },
    },
    responses: {
      200: { description: "Taken; the message will say what has become of the question." },
      ...errorResponses([
        "webhook_refused",
        "body_too_large",
        "body_too_slow",
        "not_found",
        "question_unknown",
        "question_answered",
        "question_closed",
      ]),
    },
  });
  app.post(PATH, async (c) => {
    const pressed = await press(c);
    return pressed.ok ? c.body(null, 200) : renderRefusal(c, pressed.refusal);
  });
}

async function press(c: HttpContext): Promise<Result<null>> {
  const { config, ownerOf } = c.var.deps;
  const nowMs = Date.now();
  const body = await readBytes(c.req.raw, BODY_LIMIT_BYTES);
  if (!body.ok) return body;
  const secrets = config.slackSecret === null ? [] : [config.slackSecret];
  const verified = await verifySlackRequest({ headers: c.req.raw.headers, body: body.value }, { secrets, nowMs });
  if (!verified.ok) return refuse("webhook_refused");
  const form = new URLSearchParams(new TextDecoder().decode(body.value));
  const parsed = pressSchema.safeParse(parseJson(form.get("payload") ?? ""));
  // Slack also tells of presses of links, which are nobody's answer.
  const token = parsed.success ? parsed.data.actions[0]?.value : undefined;
  if (!parsed.success || token === undefined) return success(null);
  const offered = await readAnswerToken(config.signingKeys, token, nowMs);
  if (offered === null) return refuse("question_closed");
  const { user, response_url: responseUrl } = parsed.data;
  const name = /^[\w.-]{1,80}$/.test(user.username ?? "") ? `/${user.username}` : "";
  const answered = ownerOf(offered.run_id).answerFromSlack({ offered, who: `slack:${user.id}${name}`, responseUrl });
  return withinDeadline(answered, ANSWER_DEADLINE_MS, "the routine's object");
}
