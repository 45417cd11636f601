/**
 * Jira Cloud's webhooks, as administrators make them.
 * @see https://developer.atlassian.com/cloud/jira/platform/webhooks/ "Webhooks": secret, tries, events, bodies
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { verifyHexSignature } from "./hex-signature.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading, Verification, VerifyContext } from "./listener.ts";
import { listed, namedFields, textsOf } from "./named-fields.ts";
import { contextOf, jsonObject, plainObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";
import { unverified } from "./verification.ts";

/**
 * Jira tries again five times, 5 to 15 minutes after one another, with the body of the first try. What is older than this
 * is nothing that it still sends; and so long, and longer, a repeat is known as one.
 */
const PAST_MS = 20 * 3_600_000;
/** For clocks that differ. */
const AHEAD_MS = 5 * 60_000;

export const jira: Listener = {
  source: "jira",
  title: "Jira",
  secretFrom: "source",
  fields: [
    { field: "issue", what: "The issue's key, such as ENG-123; of a comment, that of its issue" },
    { field: "project", what: "The project's key, such as ENG" },
    { field: "user", what: "Who did it, by display name" },
    { field: "status", what: "The issue's status, such as In Progress" },
    { field: "type", what: "The issue's type, such as Bug" },
    { field: "priority", what: "The issue's priority, such as High" },
    { field: "labels", what: "The issue's labels" },
    { field: "assignee", what: "Who the issue is assigned to, by display name" },
    { field: "changed", what: "Of an update: the names of the fields that changed, such as status" },
    { field: "comment", what: "A comment's text" },
    { field: "changelog.items.0.toString", what: "Of an update: what the first of them became" },
    { field: "issue.fields.summary", what: "The issue's title" },
    { field: "issue_event_type_name", what: "Of an update: its kind, such as issue_assigned" },
  ],
  setUp: (url) => [
    "In Jira, open **Settings → System**, and there **Advanced → WebHooks**. Only administrators can make webhooks.",
    "Press **Create a WebHook**, and give it a name. Leave **Status** enabled.",
    `Give it the **URL** \`${url}\`.`,
    "Under **Secret**, press **Generate secret**, and copy it: it is shown this once.",
    "Under **Issue related events**, tick what is to be told, and narrow it by JQL, for instance `project = ENG`. Leave **Exclude body** off. Press **Create**.",
    "Put the secret into Reveille as this endpoint's secret.",
    "Change an issue: the delivery shows up in Reveille within seconds.",
  ],
  verify,
  read,
};

async function verify({ headers, body }: InboundRequest, context: VerifyContext): Promise<Verification> {
  const signed = await verifyHexSignature(headers.get("x-hub-signature"), "sha256=", body, context.secrets);
  if (!signed.ok) return signed;
  const sentMs = valueAt(plainObject(body) ?? undefined, "timestamp");
  if (typeof sentMs !== "number") return signed;
  const ageMs = context.nowMs - sentMs;
  return ageMs > PAST_MS || ageMs < -AHEAD_MS ? unverified("time_out_of_range") : signed;
}

function read({ headers, body }: InboundRequest, _settings: EndpointSettings): Reading {
  if (body.length === 0) {
    return { kind: "unreadable", reason: "There is no body: turn off “Exclude body” in Jira's webhook." };
  }
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object, or nested too deeply." };
  const name = textAt(payload, "webhookEvent");
  if (name === null) return { kind: "unreadable", reason: "The body has no webhookEvent, as Jira's webhooks have." };
  const key = textAt(payload, "issue.key");
  const title = textAt(payload, "issue.fields.summary");
  const user = firstName(payload, ["user", "comment.updateAuthor", "comment.author", "worklog.updateAuthor"]);
  const changes = changesOf(payload);
  const status = textAt(payload, "issue.fields.status.name");
  const type = textAt(payload, "issue.fields.issuetype.name");
  const priority = textAt(payload, "issue.fields.priority.name");
  const assignee = textAt(payload, "issue.fields.assignee.displayName");
  const labels = valueAt(payload, "issue.fields.labels");
  const comment = plainText(valueAt(payload, "comment.body"));
  const changed = textsOf(valueAt(payload, "changelog.items"), "field");
  const about = [key, title].filter((part) => part !== null).join(" ") || nameOf(payload);
  const event = readEvent({
    name,
    action: textAt(payload, "issue_event_type_name"),
    summary: `Jira ${name}${about === null ? "" : `: ${about}`}${user === null ? "" : ` by ${user}`}`,
    dedupe_key: headers.get("x-atlassian-webhook-identifier"),
    payload,
    fields: namedFields({
      issue: key,
      project: textAt(payload, "issue.fields.project.key") ?? textAt(payload, "project.key"),
      user,
      status,
      type,
      priority,
      labels: Array.isArray(labels) ? labels : null,
      assignee,
      changed,
      comment,
    }),
    context: contextOf([
      ["Event", name],
      ["Issue", key],
      ["Title", title],
      ["By", user],
      ["Project", textAt(payload, "issue.fields.project.name") ?? textAt(payload, "project.name")],
      ["Type", type],
      ["Status", status],
      ["Priority", priority],
      ["Assigned to", assignee],
      ["Reported by", textAt(payload, "issue.fields.reporter.displayName")],
      ["Labels", listed(Array.isArray(labels) ? labels.filter((label) => typeof label === "string") : null)],
      ["Changed", changes],
      ["Comment", comment],
      ["Name", key === null ? nameOf(payload) : null],
      ["Description", plainText(valueAt(payload, "issue.fields.description"))],
      ["Address in Jira's API", textAt(payload, "issue.self") ?? textAt(payload, "comment.self")],
    ]),
  });
  return { kind: "event", event };
}

function firstName(payload: JsonObject, paths: readonly string[]): string | null {
  return paths.map((path) => textAt(payload, `${path}.displayName`)).find((found) => found !== null) ?? null;
}

/** Of a sprint, a version, a board, a project: its name. */
function nameOf(payload: JsonObject): string | null {
  const kinds = ["sprint", "version", "board", "project"];
  return kinds.map((kind) => textAt(payload, `${kind}.name`)).find((found) => found !== null) ?? null;
}

/** For instance `status: To Do → In Progress`, a line each. */
function changesOf(payload: JsonObject): string | null {
  const items = valueAt(payload, "changelog.items");
  if (!Array.isArray(items) || items.length === 0) return null;
  const side = (item: Json, name: string) => wordAt(item, `${name}String`) ?? wordAt(item, name) ?? "nothing";
  return items.map((item) => `${wordAt(item, "field") ?? "?"}: ${side(item, "from")} → ${side(item, "to")}`).join("\n");
}

/** Text as people wrote it: plain, or the texts of an Atlassian document, a line for each block. */
function plainText(value: Json | undefined): string | null {
  if (typeof value === "string") return value === "" ? null : value;
  const content = valueAt(value, "content");
  if (!Array.isArray(content)) return null;
  const text = content
    .map((block) => textOf(block))
    .join("\n")
    .trim();
  return text === "" ? null : text;
}

function textOf(node: Json): string {
  const content = valueAt(node, "content");
  if (Array.isArray(content)) return content.map(textOf).join("");
  return textAt(node, "text") ?? textAt(node, "attrs.text") ?? (textAt(node, "type") === "hardBreak" ? "\n" : "");
}
