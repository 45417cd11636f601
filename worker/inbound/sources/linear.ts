/**
 * Linear's webhooks.
 * @see https://linear.app/developers/webhooks "Webhooks": headers, payload, retries, and "Securing webhooks"
 * @see https://linear.app/developers/agent-interaction "Developing the Agent Interaction": sessions with an agent
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { verifyHexSignature } from "./hex-signature.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading, Verification, VerifyContext } from "./listener.ts";
import { listed, namedFields, textsOf } from "./named-fields.ts";
import { contextOf, isObject, jsonObject, plainObject, readEvent, textAt, valueAt } from "./payload.ts";

/** For clocks that differ. */
const AHEAD_MS = 60_000;
/** Linear tries again after a minute, an hour and six hours, with the same body: its time is that of the first try. */
const PAST_MS = 8 * 3_600_000;
const PAST = new Map([
  ["create", "created"],
  ["update", "updated"],
  ["remove", "removed"],
]);
/** Changes with every update, and tells nothing. */
const UNTOLD_CHANGES = ["updatedAt", "sortOrder", "prioritySortOrder", "subIssueSortOrder", "boardOrder"];

export const linear: Listener = {
  source: "linear",
  title: "Linear",
  secretFrom: "source",
  fields: [
    { field: "issue", what: "The issue's identifier, such as ENG-123; of a comment, that of its issue" },
    { field: "team", what: "The team's key, such as ENG" },
    { field: "labels", what: "The names of an issue's labels" },
    { field: "changed", what: "Of an update: the names of what changed, such as stateId" },
    { field: "data.title", what: "The title" },
    { field: "data.state.name", what: "The status, such as In Progress" },
    { field: "data.state.type", what: "Its kind: triage, backlog, unstarted, started, completed, canceled" },
    { field: "data.priorityLabel", what: "Urgent, High, Medium, Low or No priority" },
    { field: "data.assignee.name", what: "Who it is assigned to" },
    { field: "data.project.name", what: "The project" },
    { field: "data.body", what: "Of a comment: its text" },
    { field: "actor.name", what: "Who did it" },
    { field: "actor.type", what: "user, or what kind of application" },
  ],
  setUp,
  verify,
  read,
};

function setUp(url: string): readonly string[] {
  return [
    "In Linear, open **Settings**, then **Administration → API**. Only admins of the workspace can make webhooks.",
    "Under **Webhooks**, press **New webhook**.",
    `Give it a label, and the URL \`${url}\`.`,
    "Choose a team or all public teams, and the data change events: **Issues** and **Issue comments**, for instance.",
    "Press **Create webhook**, open it again, and copy its **Signing secret** (`lin_wh_…`).",
    "Put the signing secret into Reveille as this endpoint's secret.",
    "Change an issue: the delivery shows up in Reveille within seconds.",
  ];
}

/**
 * The time is in the body, so the signature covers it; the `Linear-Timestamp` header is not covered, and not read. Linear
 * advises a window of one minute, in which none of its own retries would fall: what is sent again by somebody else is known by
 * its body, for longer than this window.
 */
async function verify({ headers, body }: InboundRequest, context: VerifyContext): Promise<Verification> {
  const signed = await verifyHexSignature(headers.get("linear-signature"), "", body, context.secrets);
  if (!signed.ok) return signed;
  const sentMs = valueAt(plainObject(body) ?? undefined, "webhookTimestamp");
  if (typeof sentMs !== "number") return { ok: false, failure: "time_missing" };
  const ageMs = context.nowMs - sentMs;
  const isNear = Number.isSafeInteger(sentMs) && ageMs >= -AHEAD_MS && ageMs <= PAST_MS;
  return isNear ? signed : { ok: false, failure: "time_out_of_range" };
}

function read({ headers, body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object." };
  const name = textAt(payload, "type");
  if (name === null) return { kind: "unreadable", reason: "The body has no type." };
  const action = textAt(payload, "action");
  // Events that are no changes of data have an issue, or a session with an agent, in its place.
  const data = valueAt(payload, "data") ?? valueAt(payload, "issueData") ?? valueAt(payload, "agentSession");
  const issue = textAt(data, "identifier") ?? textAt(data, "issue.identifier");
  const title = textAt(data, "title") ?? textAt(data, "name") ?? textAt(data, "issue.title");
  const labels = textsOf(valueAt(data, "labels"), "name");
  const changes = changesOf(payload, data);
  const heading = [`Linear ${name}`, action === null ? null : (PAST.get(action) ?? action)].filter(Boolean).join(" ");
  const subject = [issue, title ?? textAt(data, "body")].filter(Boolean).join(" ");
  return {
    kind: "event",
    event: readEvent({
      name,
      action,
      summary: subject === "" ? heading : `${heading}: ${subject}`,
      dedupe_key: headers.get("linear-delivery"),
      payload,
      fields: namedFields({
        issue,
        team: textAt(data, "team.key") ?? textAt(data, "issue.team.key"),
        labels,
        changed: changes?.map(([key]) => key),
      }),
      context: contextOf([
        ["Event", heading],
        ["Title", title],
        ["Issue", issue],
        ["URL", textAt(payload, "url") ?? textAt(data, "url")],
        ["By", textAt(payload, "actor.name")],
        ["Status", textAt(data, "state.name")],
        ["Priority", textAt(data, "priorityLabel")],
        ["Assignee", textAt(data, "assignee.name")],
        ["Team", textAt(data, "team.name") ?? textAt(data, "issue.team.name")],
        ["Project", textAt(data, "project.name")],
        ["Labels", listed(labels)],
        ["Changed", listed(changes?.map(([, change]) => change) ?? null)],
        ["Text", textAt(data, "body") ?? textAt(data, "description") ?? textAt(payload, "agentActivity.content.body")],
        ["Prompt", textAt(payload, "promptContext")],
      ]),
    }),
  };
}

/** What an update changed: the key, and for people what it was and is. Long texts are named only. */
function changesOf(payload: JsonObject, data: Json | undefined): [key: string, change: string][] | null {
  const before = valueAt(payload, "updatedFrom");
  if (!isObject(before)) return null;
  const after = isObject(data) ? data : {};
  return Object.entries(before)
    .filter(([key]) => !UNTOLD_CHANGES.includes(key))
    .map(([key, was]) => {
      const change = `${key} (${wordOf(was)} → ${wordOf(after[key])})`;
      return [key, change.length > 200 ? key : change];
    });
}

function wordOf(value: Json | undefined): string {
  if (value === null || value === undefined) return "nothing";
  return typeof value === "object" ? "…" : String(value);
}
