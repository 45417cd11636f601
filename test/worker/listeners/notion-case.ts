/** What Notion sends, as its documentation shows it. */
import { notion } from "#worker/inbound/sources/notion.ts";
import type { ListenerCase, ListenerSample } from "./listener-case.ts";
import { notionSends } from "./notion-sends.ts";
import { hmacHex } from "./signing.ts";

const HEADERS = { "content-type": "application/json", "user-agent": "notion-api" };
const TOKEN = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl";
const HANDSHAKE = JSON.stringify({ verification_token: TOKEN });

function sent(id: string, type: string, entity: Record<string, unknown>, data: Record<string, unknown>): () => string {
  return () =>
    JSON.stringify({
      id,
      timestamp: "2024-12-05T23:57:05.379Z",
      workspace_id: "13950b26-c203-4f3b-b97d-93ec06319565",
      workspace_name: "Quantify Labs",
      subscription_id: "29d75c0d-5546-4414-8459-7b7a92f1fc4b",
      integration_id: "0ef2e755-4912-8096-91c1-00376a88a5ca",
      type,
      authors: [{ id: "c7c11cca-1d73-471d-9b6e-bdef51470190", type: "person" }],
      accessible_by: [{ id: "1edc05f6-2702-81b5-8408-00279347f034", type: "bot" }],
      attempt_number: 1,
      entity,
      data,
    });
}

const samples: ListenerSample[] = [
  {
    title: 'changed content, the example "page.content_updated"',
    headers: HEADERS,
    body: sent(
      "56c3e00c-4f0c-4566-9676-4b058a50a03d",
      "page.content_updated",
      { id: "0ef104cd-477e-80e1-8571-cfd10e92339a", type: "page" },
      {
        updated_blocks: [{ id: "153104cd-477e-80ec-a87d-f7ff0236d35c", type: "block" }],
        parent: { id: "0ef104cd-477e-80e1-8571-cfd10e92339b", type: "page", data_source_id: "263104cd-477e-804b-8c32" },
      },
    ),
    reads: {
      kind: "event",
      event: {
        name: "page.content_updated",
        action: null,
        summary: "Notion page.content_updated: page 0ef104cd-477e-80e1-8571-cfd10e92339a",
        dedupe_key: "56c3e00c-4f0c-4566-9676-4b058a50a03d",
        fields: { author_types: ["person"], authors: ["c7c11cca-1d73-471d-9b6e-bdef51470190"] },
      },
      context: [
        "URL: https://www.notion.so/0ef104cd477e80e18571cfd10e92339a",
        "By: person c7c11cca-1d73-471d-9b6e-bdef51470190",
        "Lies in: page, 0ef104cd-477e-80e1-8571-cfd10e92339b",
        "Changed blocks: 153104cd-477e-80ec-a87d-f7ff0236d35c",
        "Workspace: Quantify Labs",
      ],
      paths: { "entity.type": "page", "data.parent.type": "page" },
    },
  },
  {
    title: 'changed properties, the example "page.properties_updated"',
    headers: HEADERS,
    body: sent(
      "1782edd6-a853-4d4a-b02c-9c8c16f28e53",
      "page.properties_updated",
      { id: "153104cd-477e-809d-8dc4-ff2d96ae3090", type: "page" },
      {
        parent: { id: "13950b26-c203-4f3b-b97d-93ec06319565", type: "space" },
        updated_properties: ["XGe%40", "bDf%5B", "DbAu"],
      },
    ),
    reads: {
      kind: "event",
      event: { name: "page.properties_updated", fields: { updated_properties: ["XGe%40", "bDf%5B", "DbAu"] } },
      context: ["Changed properties: XGe%40, bDf%5B, DbAu"],
    },
  },
  {
    title: 'a changed schema, the example "data_source.schema_updated"',
    headers: HEADERS,
    body: sent(
      "9744203f-8a1c-4f5e-b7c5-000000000001",
      "data_source.schema_updated",
      { id: "263104cd-477e-804b-8c32-000b2fcd241a", type: "data_source" },
      { updated_properties: [{ id: "kqLW", name: "Created at", action: "created" }] },
    ),
    reads: {
      kind: "event",
      event: { name: "data_source.schema_updated", fields: { updated_properties: ["Created at"] } },
      context: ["Changed properties: Created at", "What: data_source"],
    },
  },
  {
    title: 'a comment, the example "comment.created"',
    headers: HEADERS,
    body: sent(
      "c6780f24-10b7-4f42-a6fd-230b6cf7ad05",
      "comment.created",
      { id: "153104cd-477e-80ec-95d1-001d9a35ad84", type: "comment" },
      {
        page_id: "0ef104cd-477e-80e1-8571-cfd10e92339a",
        parent: { id: "153104cd-477e-803a-88dc-caececf26478", type: "block" },
      },
    ),
    reads: {
      kind: "event",
      event: {
        name: "comment.created",
        summary: "Notion comment.created: comment 153104cd-477e-80ec-95d1-001d9a35ad84",
      },
      context: [
        "Page: 0ef104cd-477e-80e1-8571-cfd10e92339a",
        "URL: https://www.notion.so/0ef104cd477e80e18571cfd10e92339a",
      ],
      paths: { "data.page_id": "0ef104cd-477e-80e1-8571-cfd10e92339a" },
    },
  },
  {
    title: "its verification token again",
    headers: HEADERS,
    body: () => HANDSHAKE,
    reads: { kind: "ignored", reason: /verification token again/ },
  },
  { title: "no type", body: () => '{"id":"1"}', reads: { kind: "unreadable", reason: /no type/ } },
];

export const notionCase: ListenerCase = {
  listener: notion,
  documentation: [
    "https://developers.notion.com/reference/webhooks",
    "https://developers.notion.com/reference/webhooks-events-delivery",
  ],
  secrets: [TOKEN, "secret_uNslM2rL6wvRBi2c7dAHiGDiAUTZKmdf09W1qZo8zCm"],
  signature: { header: "x-notion-signature", prefix: "sha256=", encoding: "hex" },
  coversBody: true,
  windowSeconds: null,
  async sign(body, secret) {
    return { "x-notion-signature": `sha256=${await hmacHex(secret, body)}` };
  },
  samples,
  sends: notionSends,
  vectors: [
    {
      source: '"Step 3 - Validating event payloads", developers.notion.com/reference/webhooks',
      headers: {
        ...HEADERS,
        "X-Notion-Signature": "sha256=461e8cbcba8a75c3edd866f0e71280f5a85cbf21eff040ebd10fe266df38a735",
      },
      body: HANDSHAKE,
      secrets: [TOKEN],
      atMs: 0,
    },
  ],
};
