/** What GitHub sends on retry, edit and delete, the most, and the rarest: its address is one for all, and has no listener. */
import { sha256 } from "#instance/secrets.ts";
import { readGithubDelivery, readLongDelivery } from "#worker/inbound/read-delivery.ts";
import { readLong } from "#worker/inbound/read-long.ts";
import { payloadOf } from "#worker/inbound/sources/github/form.ts";
import { verifyGithub } from "#worker/inbound/sources/github/signature.ts";
import { jsonObject } from "#worker/inbound/sources/payload.ts";
import { ROW_BODY_BYTES } from "#worker/store/bodies.ts";
import type { SourceSends } from "./listener-case.ts";
import { NOW_MS } from "./listener-suite.ts";
import { bytesOf, hmacHex } from "./signing.ts";
import { describeSends } from "./source-sends.ts";

const WEBHOOKS = "https://docs.github.com/en/webhooks";
const EVENTS = `${WEBHOOKS}/webhook-events-and-payloads`;
const GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
/** What GitHub's form says of itself. */
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const SECRET = "It's a Secret to Everybody";
const LIMIT_BYTES = 25 * 1_048_576;
const ABOUT = {
  repository: { id: 1296269, full_name: "octocat/Hello-World", private: true },
  sender: { login: "octocat", id: 1 },
};
const COMMENT = { id: 9, body: "As I meant to say", user: { login: "octocat" }, author_association: "OWNER" };

function headers(event: string, guid = GUID): Record<string, string> {
  return { "content-type": "application/json", "x-github-event": event, "x-github-delivery": guid };
}

const sends: SourceSends = {
  onRetry: {
    page: `${WEBHOOKS}/testing-and-troubleshooting-webhooks/redelivering-webhooks`,
    title: "a delivery that somebody has sent again, which keeps its GUID",
    headers: headers("issues"),
    body: () =>
      JSON.stringify({ ...ABOUT, action: "opened", issue: { number: 7, title: "Old", created_at: "2026-11-01" } }),
    reads: { kind: "event", event: { name: "issues", dedupe_key: GUID }, context: [] },
    knownBy: "id",
  },
  onEdit: {
    page: `${EVENTS}#issue_comment`,
    title: "a changed comment, with what it was",
    headers: headers("issue_comment"),
    body: () =>
      JSON.stringify({
        ...ABOUT,
        action: "edited",
        changes: { body: { from: "As I said" } },
        issue: { number: 7, title: "The changelog is old" },
        comment: COMMENT,
      }),
    reads: {
      kind: "event",
      event: { name: "issue_comment", action: "edited" },
      context: ["As I meant to say"],
      paths: { "changes.body.from": "As I said" },
    },
  },
  onDelete: {
    page: `${EVENTS}#delete`,
    title: "a branch that was deleted, whose name has line ends of Unicode and a turned direction",
    headers: headers("delete"),
    body: () => JSON.stringify({ ...ABOUT, ref: "a\u202eb\u2028c", ref_type: "branch", pusher_type: "user" }),
    reads: {
      kind: "event",
      event: { name: "delete", action: null },
      context: [],
      paths: { ref: "a\u202eb\u2028c" },
    },
  },
  largest: {
    page: `${EVENTS}#payload-cap`,
    title: "a push of 24 MB, of which GitHub lists all files",
    headers: headers("push"),
    body: () =>
      JSON.stringify({
        ...ABOUT,
        ref: "refs/heads/main",
        before: "1".repeat(40),
        after: "2".repeat(40),
        commits: Array.from({ length: 100 }, (_, commit) => ({
          id: String(commit).padStart(40, "0"),
          message: `Commit ${commit}`,
          modified: Array.from({ length: 5_000 }, (_, file) => `packages/app/src/lib/folder/file-${file}.ts`),
        })),
      }),
    bytes: 20_000_000,
    reads: {
      kind: "event",
      event: { name: "push" },
      context: ["Commits: 100", "Commit 99"],
      // Of a longer payload than is held filters see the beginnings of its parts.
      paths: { "commits.99.message": "Commit 99", "commits.99.modified.4999": undefined },
    },
  },
  rarestEncoding: {
    page: `${WEBHOOKS}/using-webhooks/creating-webhooks`,
    title: "the JSON in a form, which a new webhook has unless it is changed, with escapes in it",
    headers: { ...headers("issues"), ...FORM },
    body: () =>
      new URLSearchParams({
        payload: String.raw`{"action":"opened","issue":{"number":7,"title":"caf\u00e9 \ud83d\udea8 & +1"},"repository":{"id":1,"full_name":"o/h"}}`,
      }).toString(),
    reads: {
      kind: "event",
      event: { name: "issues", action: "opened" },
      context: ["café 🚨 & +1"],
      paths: { "issue.title": "café 🚨 & +1" },
    },
  },
};

describeSends(sends, LIMIT_BYTES, NOW_MS, async (sample) => {
  const body = bytesOf(sample.body(NOW_MS));
  const given = sample.headers ?? {};
  const signed = new Headers({ ...given, "x-hub-signature-256": `sha256=${await hmacHex(SECRET, body)}` });
  const stored = { id: "dlv_0", event: signed.get("x-github-event"), providerId: signed.get("x-github-delivery") };
  const reading =
    body.length > ROW_BODY_BYTES
      ? readLongDelivery(stored, await readLong(async () => new Blob([body]).stream()))
      : readGithubDelivery(stored, jsonObject(payloadOf(given, body)), await sha256(body));
  const isKnownByBody = reading.kind === "event" && reading.event.content_key !== null;
  return { verification: await verifyGithub(signed, body, [SECRET]), reading, isKnownByBody };
});
