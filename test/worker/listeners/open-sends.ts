/** What senders of Standard Webhooks, CloudEvents and anything else send on retry, edit and delete, the most, and the rarest. */
import type { SourceSends } from "./listener-case.ts";

const STANDARD = "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md";
const CLOUD_EVENTS = "https://github.com/cloudevents/spec/blob/main/cloudevents";
const JSON_TYPE = { "Content-Type": "application/json" };

/** A listener's message is known by `webhook-id`, which `sign` gives. */
export const standardSends: SourceSends = {
  onRetry: {
    page: `${STANDARD}#webhook-headers-sending-metadata-to-consumers`,
    title: "the same message, with the same id and the time and signature of the attempt",
    headers: JSON_TYPE,
    body: () => '{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81"}}',
    reads: { kind: "event", event: { name: "contact.created" }, context: [] },
    knownBy: "id",
  },
  onEdit: {
    page: `${STANDARD}#event-types`,
    title: "a changed contact, by the type's name",
    headers: JSON_TYPE,
    body: () => '{"type":"contact.updated","data":{"id":"1f81","name":"Ann"}}',
    reads: {
      kind: "event",
      event: { name: "contact.updated" },
      context: ['"name": "Ann"'],
      paths: { "data.id": "1f81" },
    },
  },
  onDelete: {
    page: `${STANDARD}#event-types`,
    title: "a deleted contact, by the type's name",
    headers: JSON_TYPE,
    body: () => '{"type":"contact.deleted","data":{"id":"1f81"}}',
    reads: { kind: "event", event: { name: "contact.deleted" }, context: [], paths: { "data.id": "1f81" } },
  },
  largest: {
    page: `${STANDARD}#payload-size`,
    title: "a hundred times the 20 KB that the specification advises",
    headers: JSON_TYPE,
    body: () =>
      JSON.stringify({
        type: "report.ready",
        data: { rows: Array.from({ length: 40_000 }, (_, row) => `row ${row} of the report, in full`) },
      }),
    bytes: 1_200_000,
    reads: {
      kind: "event",
      event: { name: "report.ready" },
      context: ["row 0 of the report"],
      paths: { "data.rows.39999": "row 39999 of the report, in full" },
    },
  },
  rarestEncoding: {
    page: `${STANDARD}#payload-structure`,
    title: "a payload that is a form, with a name of type that is not ASCII",
    headers: { "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8" },
    body: () => "type=caf%C3%A9.ge%C3%B6ffnet&data%5Bid%5D=7+%26+8",
    reads: { kind: "event", event: { name: "café.geöffnet" }, context: [], paths: { "data[id]": "7 & 8" } },
  },
};

export const genericSends: SourceSends = {
  onRetry: {
    page: `${CLOUD_EVENTS}/spec.md#id`,
    title: "a CloudEvent again, whose source and id are the same, in the other mode",
    headers: {
      ...JSON_TYPE,
      "ce-specversion": "1.0",
      "ce-type": "object.created",
      "ce-source": "/bucket",
      "ce-id": "7",
    },
    first: {
      headers: { "Content-Type": "application/cloudevents+json" },
      body: () => '{"specversion":"1.0","type":"object.created","source":"/bucket","id":"7","data":{"name":"a.txt"}}',
    },
    body: () => '{"name":"a.txt"}',
    reads: {
      kind: "event",
      event: { name: "object.created", dedupe_key: "/bucket 7" },
      context: [],
      paths: { name: "a.txt" },
    },
    knownBy: "id",
  },
  onEdit: {
    page: "https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage",
    title: "a blob that was replaced: a CloudEvent of Azure's, which names it as created once more",
    headers: { "Content-Type": "application/cloudevents+json; charset=utf-8" },
    body: () =>
      '{"specversion":"1.0","type":"Microsoft.Storage.BlobCreated","source":"/subscriptions/s/accounts/a",' +
      '"subject":"/blobServices/default/containers/c/blobs/new.txt","id":"831e1650-1","data":{"api":"PutBlockList"}}',
    reads: {
      kind: "event",
      event: { name: "Microsoft.Storage.BlobCreated", dedupe_key: "/subscriptions/s/accounts/a 831e1650-1" },
      context: ["Subject: /blobServices/default/containers/c/blobs/new.txt"],
      paths: { api: "PutBlockList" },
    },
  },
  onDelete: {
    page: "https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage",
    title: "a blob that was deleted",
    headers: { "Content-Type": "application/cloudevents+json; charset=utf-8" },
    body: () =>
      '{"specversion":"1.0","type":"Microsoft.Storage.BlobDeleted","source":"/subscriptions/s/accounts/a",' +
      '"subject":"/blobServices/default/containers/c/blobs/new.txt","id":"831e1650-2","data":{"api":"DeleteBlob"}}',
    reads: {
      kind: "event",
      event: { name: "Microsoft.Storage.BlobDeleted" },
      context: [],
      paths: { api: "DeleteBlob" },
    },
  },
  largest: {
    page: "docs/triggers.md",
    title: "as much as an endpoint takes",
    headers: JSON_TYPE,
    body: () =>
      JSON.stringify({ type: "dump", rows: Array.from({ length: 200_000 }, (_, row) => `row ${row} of 200000`) }),
    bytes: 4_400_000,
    reads: {
      kind: "event",
      event: { name: "dump" },
      context: ["row 0 of 200000"],
      paths: { "rows.199999": "row 199999 of 200000" },
    },
  },
  rarestEncoding: {
    page: `${CLOUD_EVENTS}/bindings/http-protocol-binding.md#3132-http-header-values`,
    title: "a CloudEvent in binary mode with percent-encoded headers, and data in the charset's own mark",
    headers: {
      "Content-Type": "text/json; charset=utf-8",
      "ce-specversion": "1.0",
      "ce-type": "object.renamed",
      "ce-source": "/bucket",
      "ce-id": "caf%C3%A9%20%F0%9F%9A%A8",
    },
    body: () => '\ufeff{"name":"caf\\u00e9"}',
    reads: {
      kind: "event",
      event: { name: "object.renamed", dedupe_key: "/bucket café 🚨" },
      context: [],
      paths: { name: "café" },
    },
  },
};
