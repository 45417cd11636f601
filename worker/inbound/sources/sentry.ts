/**
 * Webhooks of Sentry's integration platform.
 * @see https://docs.sentry.io/integrations/integration-platform/webhooks/ "Webhooks": headers and signature; its pages
 * "Issues", "Issue Alerts", "Metric Alerts", "Errors", "Comments", "Seer" and "Activity Alerts": payloads
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { verifyHexSignature } from "./hex-signature.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading, Verification, VerifyContext } from "./listener.ts";
import { listed, namedFields } from "./named-fields.ts";
import { contextOf, jsonObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";

/** What the body of a resource has under `data`: the resource's name is in a header, which the signature leaves out. */
const TOLD_BY = new Map([
  ["issue", "issue"],
  ["error", "error"],
  ["event_alert", "event"],
  ["metric_alert", "metric_alert"],
  ["comment", "comment"],
  ["seer", "run_id"],
  ["activity_alert", "activity"],
]);

/** How much of a stack the agent gets at once; the rest is in Sentry. */
const FRAMES = 15;

export const sentry: Listener = {
  source: "sentry",
  title: "Sentry",
  secretFrom: "source",
  fields: [
    { field: "title", what: "The title of the issue, the error or the alert" },
    { field: "level", what: "fatal, error, warning, info or debug" },
    { field: "project", what: "The project's slug, where Sentry gives it" },
    { field: "environment", what: "The environment that an error came from" },
    { field: "data.issue.level", what: "Of issue: the level" },
    { field: "data.issue.substatus", what: "Of issue: new, regressed, escalating, ongoing, …" },
    { field: "data.issue.priority", what: "Of issue: high, medium or low" },
    { field: "data.issue.project.slug", what: "Of issue: the project" },
    { field: "data.issue.shortId", what: "Of issue: the id that people use, such as PYTHON-Y" },
    { field: "data.event.level", what: "Of event_alert: the level" },
    { field: "data.triggered_rule", what: "Of event_alert: the alert's name" },
    { field: "data.metric_alert.alert_rule.name", what: "Of metric_alert: the alert's name" },
    { field: "actor.name", what: "Who did it; Sentry where Sentry itself did" },
  ],
  setUp,
  verify,
  read,
};

function setUp(url: string): readonly string[] {
  return [
    "In Sentry, open **Settings → Developer Settings → Custom Integrations**, press **Create New Integration**, and choose **Internal Integration**.",
    `Give it a name, and the **Webhook URL** \`${url}\`.`,
    "For alerts, turn on **Alert Action** (**Alert Rule Action** in older versions).",
    "Under **Permissions**, give **Issue & Event** at least **Read**; without it Sentry offers no webhooks.",
    "Under **Webhooks**, tick what is to be told: **issue**, for instance. **error** tells every single error.",
    "Press **Save Changes**, and copy the **Client Secret** under **Credentials** while Sentry shows it: not the token, and not the client id.",
    "Put the client secret into Reveille as this endpoint's secret.",
    "For alerts, choose the integration in the alert's actions (**Send a notification via**).",
    "Resolve an issue: the delivery shows up in Reveille within seconds.",
  ];
}

/** The signature covers the body alone: `Sentry-Hook-Timestamp` could be anything, and is not read. */
function verify({ headers, body }: InboundRequest, { secrets }: VerifyContext): Promise<Verification> {
  return verifyHexSignature(headers.get("sentry-hook-signature"), "", body, secrets);
}

function read({ headers, body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object." };
  const name = headers.get("sentry-hook-resource") ?? "";
  if (!/^[a-z][a-z_]{0,63}$/.test(name))
    return { kind: "unreadable", reason: "Sentry-Hook-Resource names no resource." };
  if (name === "installation") {
    // Its body may have a code with which the integration can be taken over.
    return { kind: "ignored", reason: "The integration was installed or removed: nothing has happened in a project." };
  }
  const told = TOLD_BY.get(name);
  if (told !== undefined && valueAt(payload, `data.${told}`) === undefined) {
    return { kind: "unreadable", reason: `Sentry-Hook-Resource is ${name}, and the body has no data.${told}.` };
  }
  const action = textAt(payload, "action");
  const heading = [`Sentry ${name.replaceAll("_", " ")}`, action].filter(Boolean).join(" ");
  const title = titleOf(payload);
  const facts = factsOf(payload);
  return {
    kind: "event",
    event: readEvent({
      name,
      action,
      summary: title === null ? heading : `${heading}: ${title}`,
      dedupe_key: headers.get("request-id"),
      payload,
      fields: namedFields({ title, level: facts.level, project: facts.project, environment: facts.environment }),
      context: contextOf([
        ["Event", heading],
        ["Title", title],
        ["URL", facts.url],
        ["By", textAt(payload, "actor.name")],
        ["Level", facts.level],
        ["Project", facts.project],
        ["Environment", facts.environment],
        ["Alert", textAt(payload, "data.triggered_rule") ?? textAt(payload, "data.alert.title")],
        ["Issue", facts.issue],
        ["Where", facts.culprit],
        ["Status", facts.status],
        ["Seen", facts.seen],
        ["Activity", textAt(payload, "data.activity.type")],
        ["Text", textAt(payload, "data.comment") ?? textAt(payload, "data.description_text")],
        ["Cause", textAt(payload, "data.root_cause.one_line_description")],
        ["Solution", textAt(payload, "data.solution.one_line_summary")],
        ["Stack, newest call first", stackOf(subjectOf(payload))],
      ]),
    }),
  };
}

/** The issue, or the error that an event is about, whatever the resource. */
function subjectOf(payload: JsonObject): Json | undefined {
  return ["data.issue", "data.error", "data.event"]
    .map((path) => valueAt(payload, path))
    .find((found) => found !== undefined);
}

function titleOf(payload: JsonObject): string | null {
  const run = wordAt(payload, "data.group_id");
  return (
    textAt(subjectOf(payload), "title") ??
    textAt(payload, "data.description_title") ??
    textAt(payload, "data.metric_alert.title") ??
    textAt(payload, "data.comment") ??
    (run === null ? null : `issue ${run}`)
  );
}

function factsOf(payload: JsonObject) {
  const subject = subjectOf(payload);
  const count = wordAt(subject, "count");
  const projects = valueAt(payload, "data.metric_alert.projects");
  const issueIds = [wordAt(subject, "shortId"), wordAt(subject, "issue_id"), wordAt(payload, "data.issue_id")];
  return {
    url: textAt(subject, "web_url") ?? textAt(subject, "permalink") ?? textAt(payload, "data.web_url"),
    level: textAt(subject, "level"),
    project:
      textAt(subject, "project.slug") ??
      textAt(payload, "data.project_slug") ??
      listed(Array.isArray(projects) ? projects.filter((slug) => typeof slug === "string") : null),
    environment: textAt(subject, "environment") ?? tagOf(subject, "environment"),
    issue: issueIds.find((id) => id !== null) ?? wordAt(payload, "data.group_id"),
    culprit: textAt(subject, "culprit"),
    status: listed([textAt(subject, "status"), textAt(subject, "substatus")].filter((word) => word !== null)),
    seen: count === null ? null : `${count} times, by ${wordAt(subject, "userCount") ?? "?"} users`,
  };
}

/** Tags are a list of pairs. */
function tagOf(subject: Json | undefined, name: string): string | null {
  const tags = valueAt(subject, "tags");
  const tag = Array.isArray(tags) ? tags.find((pair) => textAt(pair, "0") === name) : undefined;
  return textAt(tag, "1");
}

/** The newest calls first, where Sentry puts them last; of a chain of exceptions the one that was thrown. */
function stackOf(subject: Json | undefined): string | null {
  const exceptions = valueAt(subject, "exception.values");
  const frames = Array.isArray(exceptions) ? valueAt(exceptions.at(-1), "stacktrace.frames") : undefined;
  if (!Array.isArray(frames) || frames.length === 0) return null;
  const calls = frames.slice(-FRAMES).reverse();
  const lines = calls.map((frame) => {
    const place = `${textAt(frame, "filename") ?? "?"}:${wordAt(frame, "lineno") ?? "?"}`;
    return `  at ${textAt(frame, "function") ?? "?"} (${place})`;
  });
  return lines.join("\n");
}
