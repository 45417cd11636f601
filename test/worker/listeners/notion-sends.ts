/** What Notion sends on retry, edit and delete, the most, and the rarest. */
import type { SourceSends } from "./listener-case.ts";

const PAGE = "https://developers.notion.com/reference/webhooks-events-delivery";
const HEADERS = { "content-type": "application/json", "user-agent": "notion-api" };
const ENTITY = { id: "0ef104cd-477e-80e1-8571-cfd10e92339a", type: "page" };

function sent(id: string, type: string, entity: Record<string, unknown>, rest: Record<string, unknown> = {}) {
  return () =>
    JSON.stringify({
      id,
      timestamp: "2024-12-05T23:57:05.379Z",
      type,
      authors: [{ id: "c7c11cca-1d73-471d-9b6e-bdef51470190", type: "person" }],
      attempt_number: 1,
      entity,
      data: {},
      ...rest,
    });
}

export const notionSends: SourceSends = {
  onRetry: {
    page: PAGE,
    title: "the same event, whose body says which attempt it is",
    headers: HEADERS,
    first: { body: sent("56c3e00c", "page.content_updated", ENTITY) },
    body: sent("56c3e00c", "page.content_updated", ENTITY, { attempt_number: 8 }),
    reads: { kind: "event", event: { name: "page.content_updated", dedupe_key: "56c3e00c" }, context: [] },
    knownBy: "id",
  },
  onEdit: {
    page: PAGE,
    title: "a changed comment",
    headers: HEADERS,
    body: sent("56c3e00d", "comment.updated", { id: "1531", type: "comment" }, { data: { page_id: ENTITY.id } }),
    reads: {
      kind: "event",
      event: { name: "comment.updated", summary: "Notion comment.updated: comment 1531", dedupe_key: "56c3e00d" },
      context: [`Page: ${ENTITY.id}`],
    },
  },
  onDelete: {
    page: PAGE,
    title: "a page in the trash",
    headers: HEADERS,
    body: sent("56c3e00e", "page.deleted", ENTITY, { data: { parent: { id: "p-1", type: "page" } } }),
    reads: {
      kind: "event",
      event: { name: "page.deleted", summary: `Notion page.deleted: page ${ENTITY.id}`, dedupe_key: "56c3e00e" },
      context: ["Lies in: page, p-1"],
    },
  },
  largest: {
    page: PAGE,
    title: "the changes of many blocks, which Notion gathers into one event",
    headers: HEADERS,
    body: sent("56c3e00f", "page.content_updated", ENTITY, {
      data: {
        updated_blocks: Array.from({ length: 3_000 }, (_, place) => ({
          id: `153104cd-477e-80ec-${place}`,
          type: "block",
        })),
      },
    }),
    bytes: 100_000,
    reads: {
      kind: "event",
      event: { name: "page.content_updated" },
      context: ["Changed blocks: 153104cd-477e-80ec-0, 153104cd-477e-80ec-1"],
    },
  },
  rarestEncoding: {
    page: PAGE,
    title: "ids of properties that are percent-encoded, and stay so",
    headers: HEADERS,
    body: sent("56c3e010", "page.properties_updated", ENTITY, {
      workspace_name: "Café 🛎️",
      data: { updated_properties: ["XGe%40", "%3CKkZ%5C", "title"] },
    }),
    reads: {
      kind: "event",
      event: { name: "page.properties_updated", fields: { updated_properties: ["XGe%40", "%3CKkZ%5C", "title"] } },
      context: ["Changed properties: XGe%40, %3CKkZ%5C, title", "Workspace: Café 🛎️"],
    },
  },
};
