/**
 * Bitbucket Cloud's webhooks of repositories and workspaces.
 * @see https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/ "Manage webhooks": secret, tries, history
 * @see https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/ "Event payloads": headers and bodies
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { verifyHexSignature } from "./hex-signature.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading } from "./listener.ts";
import { namedFields } from "./named-fields.ts";
import { contextOf, jsonObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";

const COMMITS_TOLD = 20;

export const bitbucket: Listener = {
  source: "bitbucket",
  title: "Bitbucket",
  secretFrom: "source",
  fields: [
    { field: "repository", what: "With its workspace, for instance acme/app" },
    { field: "user", what: "Who did it, by display name" },
    { field: "branch", what: "Pushed to, or the source branch of a pull request; of a tag, the tag" },
    { field: "target_branch", what: "Of a pull request" },
    { field: "title", what: "Of a pull request or an issue" },
    {
      field: "state",
      what: "Of a pull request: OPEN, MERGED, DECLINED, SUPERSEDED; of a build: SUCCESSFUL, FAILED, …",
    },
    { field: "comment", what: "A comment's text" },
    { field: "pullrequest.draft", what: "Whether a pull request is a draft" },
    { field: "push.changes.0.forced", what: "Whether a push rewrote history" },
  ],
  setUp: (url) => [
    "In Bitbucket, open the repository's **Repository settings → Webhooks** (or those of the workspace), and press **Add webhook**.",
    `Give it a title, and the **URL** \`${url}\`. Leave **Active** on.`,
    "Under **Secret**, press **Generate secret**, and copy it: it is shown this once.",
    "Under **Triggers**, leave **Repository push**, or choose from the full list. Press **Save**.",
    "Put the secret into Reveille as this endpoint's secret.",
    "Push something: the delivery shows up in Reveille within seconds. **View requests**, with history on, shows Bitbucket's side.",
  ],
  verify: ({ headers, body }, { secrets }) =>
    verifyHexSignature(headers.get("x-hub-signature"), "sha256=", body, secrets),
  read,
};

function read({ headers, body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object, or nested too deeply." };
  const name = headers.get("x-event-key");
  if (name === null || !/^[!-~]{1,100}$/.test(name)) {
    return { kind: "unreadable", reason: "X-Event-Key names no event, as Bitbucket's requests do." };
  }
  const about = subjectOf(payload);
  const repository = textAt(payload, "repository.full_name");
  const user = textAt(payload, "actor.display_name") ?? textAt(payload, "actor.nickname");
  const change = newest(payload);
  const branch =
    textAt(change, "new.name") ?? textAt(change, "old.name") ?? textAt(payload, "pullrequest.source.branch.name");
  const target = textAt(payload, "pullrequest.destination.branch.name");
  const state =
    textAt(payload, "pullrequest.state") ?? textAt(payload, "commit_status.state") ?? textAt(payload, "issue.state");
  const comment = textAt(payload, "comment.content.raw");
  const told = [`${name}`, about ?? branch, user === null ? null : `by ${user}`].filter(Boolean).join(", ");
  const event = readEvent({
    name,
    action: null,
    summary: repository === null ? `Bitbucket ${told}` : `${repository}: ${told}`,
    dedupe_key: headers.get("x-request-uuid"),
    payload,
    fields: namedFields({
      repository,
      user,
      branch,
      target_branch: target,
      title: textAt(payload, "pullrequest.title") ?? textAt(payload, "issue.title"),
      state,
      comment,
    }),
    context: contextOf([
      ["Event", name],
      ["Repository", repository],
      ["Repository address", textAt(payload, "repository.links.html.href")],
      ["By", user],
      ["About", about],
      ["Address", addressOf(payload)],
      ["State", state],
      ["Branch", branch],
      ["Target branch", target],
      ["Commit", textAt(change, "new.target.hash") ?? textAt(payload, "pullrequest.source.commit.hash")],
      ["Deleted", valueAt(change, "new") === null ? branch : null],
      ["Comment", comment],
      ["Commits", commitsOf(change)],
      ["Description", textAt(payload, "pullrequest.description") ?? textAt(payload, "issue.content.raw")],
    ]),
  });
  return { kind: "event", event };
}

/** For instance `#7 Mend the door`. */
function subjectOf(payload: JsonObject): string | null {
  const part = valueAt(payload, "pullrequest") ?? valueAt(payload, "issue");
  const number = wordAt(part, "id");
  if (number !== null) return [`#${number}`, textAt(part, "title")].filter(Boolean).join(" ");
  return textAt(payload, "commit_status.name") ?? textAt(payload, "commit_status.key");
}

/** A push of several branches tells of up to five; the first stands for all. */
function newest(payload: JsonObject): Json | undefined {
  return valueAt(payload, "push.changes.0");
}

function addressOf(payload: JsonObject): string | null {
  const paths = ["comment", "pullrequest", "issue", "push.changes.0"].map((path) => `${path}.links.html.href`);
  const found = paths.map((path) => textAt(payload, path)).find((text) => text !== null);
  return found ?? textAt(payload, "commit_status.url");
}

function commitsOf(change: Json | undefined): string | null {
  const commits = valueAt(change, "commits");
  if (!Array.isArray(commits) || commits.length === 0) return null;
  return commits
    .slice(0, COMMITS_TOLD)
    .map(
      (commit) => `${textAt(commit, "hash")?.slice(0, 12) ?? "?"} ${textAt(commit, "message")?.split("\n")[0] ?? ""}`,
    )
    .join("\n");
}
