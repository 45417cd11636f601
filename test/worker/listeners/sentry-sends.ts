/** What Sentry sends on edit and delete, the most, and the rarest. */
import type { SourceSends } from "./listener-case.ts";

const PAGE = "https://docs.sentry.io/integrations/integration-platform/webhooks/";

function headers(resource: string): Record<string, string> {
  return { "content-type": "application/json", "request-id": "2bd5c5e8a4c9", "sentry-hook-resource": resource };
}

function sent(action: string, data: Record<string, unknown>): () => string {
  return () => JSON.stringify({ action, actor: { type: "user", id: 1, name: "colleen" }, data });
}

const COMMENT = { comment_id: 1234, issue_id: 100, project_slug: "sentry", timestamp: "2022-03-02T21:51:44.118160Z" };
const FRAME = { filename: "/app/pay.js", function: "pay", lineno: 3, in_app: true, context_line: "x".repeat(900) };

export const sentrySends: SourceSends = {
  onRetry: { page: PAGE, doesNotExist: "Sentry waits a second for the answer, and does not send again what failed." },
  onEdit: {
    page: `${PAGE}comments/`,
    title: "a changed comment",
    headers: headers("comment"),
    body: sent("updated", { ...COMMENT, comment: "as I meant to say" }),
    reads: {
      kind: "event",
      event: { name: "comment", action: "updated", summary: "Sentry comment updated: as I meant to say" },
      context: ["By: colleen", "Text: as I meant to say"],
    },
  },
  onDelete: {
    page: `${PAGE}comments/`,
    title: "a deleted comment",
    headers: headers("comment"),
    body: sent("deleted", { ...COMMENT, comment: "adding a comment" }),
    reads: {
      kind: "event",
      event: { name: "comment", action: "deleted", fields: { project: "sentry" } },
      context: ["Event: Sentry comment deleted", "Issue: 100"],
    },
  },
  largest: {
    page: "https://develop.sentry.dev/sdk/foundations/envelopes/#size-limits",
    title: "an error of as many bytes as Sentry takes of one",
    headers: headers("error"),
    body: sent("created", {
      error: {
        title: "RangeError: too deep",
        level: "error",
        exception: { values: [{ stacktrace: { frames: Array.from({ length: 1_050 }, () => FRAME) } }] },
      },
    }),
    bytes: 1_000_000,
    reads: {
      kind: "event",
      event: { name: "error", summary: "Sentry error created: RangeError: too deep" },
      context: ["  at pay (/app/pay.js:3)"],
      absent: [],
    },
  },
  rarestEncoding: {
    page: `${PAGE}issues/`,
    title: "everything that is not ASCII as escapes, half of a pair of surrogates among them",
    headers: headers("issue"),
    body: () =>
      String.raw`{"action":"created","data":{"issue":{"id":"1","title":"caf\u00e9 \ud83d\udea8 \ud83d cut","level":"error"}}}`,
    reads: {
      kind: "event",
      event: { name: "issue", summary: "Sentry issue created: café 🚨 \ufffd cut" },
      context: ["Title: café 🚨 \ufffd cut"],
    },
  },
};
