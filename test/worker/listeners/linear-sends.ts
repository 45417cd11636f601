/** What Linear sends on retry, edit and delete, the most, and the rarest. */
import type { SourceSends } from "./listener-case.ts";

const PAGE = "https://linear.app/developers/webhooks";
const DELIVERY = "234d1a4e-b617-4388-90fe-adc3633d6b72";
const HEADERS = { "content-type": "application/json; charset=utf-8", "linear-delivery": DELIVERY };
const ISSUE = { id: "539068e2-ae88-4d09-bd75-22eb4a59612f", identifier: "LIN-1778", title: "Foo bar" };

function sent(payload: Record<string, unknown>): (atMs: number) => string {
  return (atMs) => JSON.stringify({ ...payload, createdAt: "2020-01-23T12:53:18.084Z", webhookTimestamp: atMs });
}

export const linearSends: SourceSends = {
  onRetry: {
    page: PAGE,
    title: "the same payload, as it was, a minute, an hour or six hours later",
    headers: HEADERS,
    body: sent({ type: "Issue", action: "create", data: ISSUE }),
    reads: { kind: "event", event: { name: "Issue", action: "create", dedupe_key: DELIVERY }, context: [] },
    knownBy: "id",
  },
  onEdit: {
    page: PAGE,
    title: "a changed comment, with what it was",
    headers: HEADERS,
    body: sent({
      type: "Comment",
      action: "update",
      data: { id: "c-1", body: "See the log", issue: ISSUE },
      updatedFrom: { updatedAt: "2020-01-23T12:00:00.000Z", body: "See the lgo" },
    }),
    reads: {
      kind: "event",
      event: {
        name: "Comment",
        action: "update",
        summary: "Linear Comment updated: LIN-1778 Foo bar",
        fields: { issue: "LIN-1778", changed: ["body"] },
      },
      context: ["Changed: body (See the lgo → See the log)"],
    },
  },
  onDelete: {
    page: PAGE,
    title: "a removed issue",
    headers: HEADERS,
    body: sent({ type: "Issue", action: "remove", data: { ...ISSUE, trashed: true } }),
    reads: {
      kind: "event",
      event: { name: "Issue", action: "remove", summary: "Linear Issue removed: LIN-1778 Foo bar" },
      context: ["Issue: LIN-1778"],
      paths: { "data.trashed": true },
    },
  },
  largest: {
    page: PAGE,
    title: "an issue with a description of a quarter of a million characters; Linear names no limit",
    headers: HEADERS,
    body: sent({
      type: "Issue",
      action: "update",
      data: { ...ISSUE, description: "x".repeat(250_000) },
      updatedFrom: { description: "y".repeat(250_000) },
    }),
    bytes: 500_000,
    reads: {
      kind: "event",
      event: { name: "Issue", fields: { issue: "LIN-1778", changed: ["description"] } },
      context: ["Changed: description\n", "xxxx"],
      absent: [],
    },
  },
  rarestEncoding: {
    page: PAGE,
    title: "line separators and pairs of surrogates as they are, and numbers with exponents",
    headers: HEADERS,
    body: (atMs) =>
      `{"type":"Issue","action":"create","data":{"identifier":"LIN-1","title":"a\u2028b 🧑‍🚒","sortOrder":-1.5e-7,` +
      `"estimate":1E3},"webhookTimestamp":${atMs}}`,
    reads: {
      kind: "event",
      event: { name: "Issue", summary: "Linear Issue created: LIN-1 a b 🧑‍🚒" },
      context: ["Title: a\u2028b 🧑‍🚒"],
      paths: { "data.sortOrder": -1.5e-7, "data.estimate": 1000 },
    },
  },
};
