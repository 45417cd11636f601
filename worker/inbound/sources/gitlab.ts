/**
 * GitLab's project, group and system webhooks. From 19.0 on they are signed as Standard Webhooks with a signing token
 * (`whsec_…`); a secret token, which every version has, is shown in `X-Gitlab-Token` and signs nothing.
 * @see https://docs.gitlab.com/user/project/integrations/webhooks/#signing-tokens
 * @see https://docs.gitlab.com/user/project/integrations/webhook_events/
 */
import type { JsonObject } from "#protocol/schema.ts";
import { gitlabContext, gitlabFields, gitlabSummary } from "./gitlab-facts.ts";
import { hasSecret } from "./hex-signature.ts";
import { isAnyToken } from "./hmac.ts";
import type { Listener } from "./listener.ts";
import { jsonObject, readEvent, textAt } from "./payload.ts";
import { signingKeyFault, verifySignedWebhook } from "./standard-webhooks.ts";
import { unverified, verified } from "./verification.ts";

const SIGNING_TOKEN = "whsec_";

export const gitlab: Listener = {
  source: "gitlab",
  title: "GitLab",
  secretFrom: "source",
  fields: [
    { field: "project", what: "with its group, for instance `acme/app`" },
    { field: "user", what: "who did it, by user name" },
    { field: "action", what: "for instance `open`, `merge`, `update`" },
    { field: "branch", what: "pushed to, or the source branch of a merge request, or what a pipeline ran on" },
    { field: "target_branch", what: "of a merge request" },
    {
      field: "brings_commits",
      what: "of a push or merge request: whether there are commits that were not there before",
    },
    { field: "status", what: "of a pipeline, job or deployment, for instance `failed`" },
    {
      field: "conversation",
      what: "the merge request or issue, such as `acme/app!7`; of its comments and pipelines too",
    },
    { field: "labels", what: "titles of the labels of an issue or merge request" },
    { field: "object_attributes.draft", what: "whether a merge request is a draft" },
    { field: "object_attributes.note", what: "a comment's text" },
  ],
  setUp: (url) => [
    "In your project or group, select **Settings** › **Webhooks** › **Add new webhook**.",
    `Enter the URL \`${url}\`.`,
    "Select **Generate signing token** (GitLab 19.0 and later), copy the token, which begins with `whsec_`, and paste it here as " +
      "the endpoint's secret. Leave **Secret token** empty.",
    "In an older GitLab, draw a token with `openssl rand -hex 32`, and paste it both into **Secret token** and here.",
    "Under **Trigger**, select the events that you need, and select **Add webhook**.",
    "Select **Test** beside the new webhook, choose an event, and look for it among the deliveries.",
  ],
  secretFault: (secret) => (secret.startsWith(SIGNING_TOKEN) ? signingKeyFault(secret) : null),
  async verify(request, { secrets, nowMs }) {
    const signing = secrets.filter((secret) => secret.startsWith(SIGNING_TOKEN));
    const tokens = secrets.filter((secret) => secret !== "" && !secret.startsWith(SIGNING_TOKEN));
    if (!hasSecret(secrets)) return unverified("no_secret");
    // A signed request stands and falls with its signature, even while a rotation from one kind to the other overlaps.
    const isSigned = request.headers.has("webhook-signature");
    if (signing.length > 0 && isSigned) return verifySignedWebhook(request, signing, nowMs);
    // GitLab's signature has this one name: under another, an id of any kind could stand beside it.
    if (signing.length > 0 && tokens.length === 0) return unverified("signature_missing");
    const token = request.headers.get("x-gitlab-token");
    if (token === null || token === "") return unverified("token_missing");
    return (await isAnyToken(tokens, token)) ? verified : unverified("token_wrong");
  },
  read({ headers, body }) {
    const payload = jsonObject(body);
    if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object, or nested too deeply." };
    const name = eventName(payload, headers);
    if (name === null) return { kind: "unreadable", reason: "Neither the body nor X-Gitlab-Event names an event." };
    const action = textAt(payload, "object_attributes.action") ?? textAt(payload, "action");
    const event = readEvent({
      name,
      action,
      summary: gitlabSummary(name, action, payload),
      dedupe_key: deliveryKey(headers),
      payload,
      fields: gitlabFields(action, payload),
      context: gitlabContext(name, action, payload),
    });
    return { kind: "event", event };
  },
};

/** Events of groups have no `object_kind`; bodies of custom templates may have neither member. */
function eventName(payload: JsonObject, headers: Headers): string | null {
  const named = textAt(payload, "object_kind") ?? textAt(payload, "event_name");
  if (named !== null) return named;
  const hook = /^([A-Za-z ]+) Hook$/.exec(headers.get("x-gitlab-event") ?? "")?.[1];
  return hook === undefined ? null : hook.toLowerCase().replaceAll(" ", "_");
}

/**
 * The same in all attempts of one delivery: `webhook-id`, which the signature covers, or the same value in the header of
 * GitLab 17.4 and later. `X-Gitlab-Event-UUID` is shared by webhooks that cause one another, and `X-Gitlab-Webhook-UUID` is
 * another in every attempt: neither tells deliveries apart.
 */
function deliveryKey(headers: Headers): string | null {
  return headers.get("webhook-id") ?? headers.get("idempotency-key");
}
