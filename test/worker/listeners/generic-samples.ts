/** Bodies of any sender: JSON, forms, text, and the examples of the CloudEvents specification. */
import type { ListenerSample } from "./listener-case.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
const STRUCTURED = { "Content-Type": "application/cloudevents+json; charset=utf-8" };

/** @see https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md (3.2, the third example) */
const cloudEvent = {
  specversion: "1.0",
  type: "com.example.someevent",
  source: "/mycontext",
  subject: null,
  id: "C234-1234-1234",
  time: "2018-04-05T17:31:00Z",
  comexampleextension1: "value",
  comexampleothervalue: 5,
  datacontenttype: "application/json",
  data: { appinfoA: "abc", appinfoB: 123, appinfoC: true },
};

/** The same, as the binding writes it in binary mode. */
const binary = {
  "ce-specversion": "1.0",
  "ce-type": "com.example.someevent",
  "ce-source": "/mycontext",
  "ce-id": "C234-1234-1234",
  "ce-time": "2018-04-05T17:31:00Z",
  "ce-comexampleextension1": "value",
  ...JSON_TYPE,
};

export const plainSamples: readonly ListenerSample[] = [
  {
    title: "JSON with a type and a key",
    headers: { ...JSON_TYPE, "Idempotency-Key": "build-7" },
    body: () => '{"type":"build.failed","build":{"number":7,"branch":"main"}}',
    reads: {
      kind: "event",
      event: { name: "build.failed", action: null, summary: "build.failed from outside", dedupe_key: "build-7" },
      context: ["Event: build.failed", '"branch": "main"'],
      paths: { "build.number": 7 },
    },
  },
  {
    title: "JSON without a type",
    headers: JSON_TYPE,
    body: () => '{"status":"down"}',
    reads: {
      kind: "event",
      event: { name: "event", summary: "A request from outside", dedupe_key: null },
      context: ["Event: event"],
      paths: { status: "down" },
    },
  },
  {
    title: "a JSON list",
    headers: JSON_TYPE,
    body: () => '[{"host":"a"}]',
    reads: { kind: "event", event: { name: "event" }, context: ['"host": "a"'], paths: { "0.host": "a" } },
  },
  {
    title: "what is called JSON and is none",
    headers: JSON_TYPE,
    body: () => '"status": "down"',
    reads: { kind: "unreadable", reason: /called JSON/ },
  },
  {
    title: "JSON that is nested without end",
    headers: JSON_TYPE,
    body: () => "[".repeat(100_000) + "]".repeat(100_000),
    reads: { kind: "unreadable", reason: /nested deeper than 100/ },
  },
  {
    title: "JSON that curl -d calls a form",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: () => '{"type":"deploy","env":"prod & more"}',
    reads: { kind: "event", event: { name: "deploy" }, context: ["prod & more"], paths: { env: "prod & more" } },
  },
  {
    title: "a form",
    headers: { "Content-Type": "application/x-www-form-urlencoded", "webhook-id": "msg_1" },
    body: () => "type=alert&host=web-1&host=web-2&note=caf%C3%A9+closed&__proto__=x",
    reads: {
      kind: "event",
      event: { name: "alert", dedupe_key: "msg_1" },
      context: ["café closed"],
      paths: { host: ["web-1", "web-2"], note: "café closed" },
    },
  },
  {
    title: "text",
    headers: { "Content-Type": "text/plain" },
    body: () => "Disk of web-1 is full.\nSince 09:12.",
    reads: {
      kind: "event",
      event: { name: "event" },
      context: ["Payload:\nDisk of web-1 is full.\nSince 09:12."],
      paths: { text: "Disk of web-1 is full.\nSince 09:12." },
    },
  },
  {
    title: "text of no type",
    body: () => "[ not JSON",
    reads: { kind: "event", event: { name: "event" }, context: ["[ not JSON"], paths: { text: "[ not JSON" } },
  },
  {
    title: "nothing",
    headers: JSON_TYPE,
    body: () => "",
    reads: { kind: "event", event: { name: "event", payload: {} } as { name: string }, context: ["Payload: {}"] },
  },
];

export const cloudEventSamples: readonly ListenerSample[] = [
  {
    title: "a CloudEvent in structured mode",
    headers: STRUCTURED,
    body: () => JSON.stringify(cloudEvent),
    reads: {
      kind: "event",
      event: {
        name: "com.example.someevent",
        summary: "com.example.someevent from /mycontext",
        dedupe_key: "/mycontext C234-1234-1234",
        fields: { ce_type: "com.example.someevent", ce_source: "/mycontext", ce_comexampleothervalue: 5 },
      },
      context: ["Source: /mycontext", "Id: C234-1234-1234", "Time: 2018-04-05T17:31:00Z", '"appinfoB": 123'],
      paths: { appinfoA: "abc", appinfoC: true },
    },
  },
  {
    title: "a CloudEvent in binary mode",
    headers: { ...binary, "ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80" },
    body: () => JSON.stringify(cloudEvent.data),
    reads: {
      kind: "event",
      event: {
        name: "com.example.someevent",
        summary: "com.example.someevent from /mycontext: Euro € 😀",
        dedupe_key: "/mycontext C234-1234-1234",
        fields: { ce_subject: "Euro € 😀", ce_comexampleextension1: "value", ce_datacontenttype: "application/json" },
      },
      context: ["Subject: Euro € 😀"],
      paths: { appinfoB: 123 },
    },
  },
  {
    title: "a CloudEvent whose attribute is in quotes",
    headers: { ...binary, "ce-subject": '"a \\"quoted\\" word"' },
    body: () => "{}",
    reads: {
      kind: "event",
      event: { name: binary["ce-type"], fields: { ce_subject: 'a "quoted" word' } },
      context: [],
    },
  },
  {
    title: "a CloudEvent with text in place of JSON",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, datacontenttype: "application/xml", data: '<much wow="xml"/>' }),
    reads: {
      kind: "event",
      event: { name: "com.example.someevent" },
      context: ['Data: <much wow="xml"/>'],
      paths: { text: '<much wow="xml"/>' },
    },
  },
  {
    title: "a CloudEvent with JSON in base64",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, data: undefined, data_base64: btoa('{"appinfoA":"abc"}') }),
    reads: { kind: "event", event: { name: "com.example.someevent" }, context: [], paths: { appinfoA: "abc" } },
  },
  {
    title: "an id of more digits than a number holds",
    headers: { "content-type": "application/json" },
    body: () => '{"type":"alert.fired","alert":{"id":7654321098765432101}}',
    reads: {
      kind: "event",
      event: { name: "alert.fired" },
      context: ['"id": 7654321098765432101'],
      paths: { "alert.id": "7654321098765432101" },
    },
  },
  {
    title: "a CloudEvent without data",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, data: undefined }),
    reads: { kind: "event", event: { name: "com.example.someevent" }, context: ["Data: {}"] },
  },
  {
    title: "a CloudEvent with bytes that are no text",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, data: undefined, data_base64: btoa("\xff\xfe") }),
    reads: {
      kind: "event",
      event: { name: "com.example.someevent" },
      context: [],
      paths: { bytes: 2, type: "application/json" },
    },
  },
  {
    title: "a CloudEvent with a picture",
    headers: STRUCTURED,
    body: () =>
      JSON.stringify({ ...cloudEvent, data: undefined, datacontenttype: "image/png", data_base64: "iVBOR//+" }),
    reads: {
      kind: "event",
      event: { name: "com.example.someevent" },
      context: [],
      paths: { bytes: 6, type: "image/png" },
    },
  },
  {
    title: "a CloudEvent with a NUL in its data",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, data: undefined, datacontenttype: "a/b", data_base64: btoa("a\0b") }),
    reads: { kind: "event", event: { name: "com.example.someevent" }, context: [], paths: { bytes: 3, type: "a/b" } },
  },
  {
    title: "a CloudEvent whose data are called JSON and are none",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, data: undefined, data_base64: btoa("not json") }),
    reads: { kind: "event", event: { name: "com.example.someevent" }, context: [], paths: { text: "not json" } },
  },
  {
    title: "a CloudEvent whose data_base64 is none",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, data: undefined, data_base64: "%%%" }),
    reads: { kind: "unreadable", reason: /data_base64 is not base64/ },
  },
  {
    title: "a CloudEvent in protobuf, in binary mode",
    headers: {
      "content-type": "application/protobuf",
      "ce-specversion": "1.0",
      "ce-type": "google.cloud.firestore.document.v1.created",
      "ce-source": "//firestore.example/databases/1",
      "ce-id": "e-1",
      "ce-subject": "documents/orders/41",
    },
    body: () => "\n\u0001\u0000\u0005order",
    reads: {
      kind: "event",
      event: { name: "google.cloud.firestore.document.v1.created" },
      context: ["Subject: documents/orders/41"],
      paths: { bytes: 9, type: "application/protobuf" },
    },
  },
  {
    title: "a batch of CloudEvents",
    headers: { "Content-Type": "application/cloudevents-batch+json; charset=UTF-8" },
    body: () => JSON.stringify([cloudEvent, cloudEvent]),
    reads: { kind: "unreadable", reason: /one event per request/ },
  },
  {
    title: "a CloudEvent in another format",
    headers: { "Content-Type": "application/cloudevents+xml" },
    body: () => "<event/>",
    reads: { kind: "unreadable", reason: /not application\/cloudevents\+xml/ },
  },
  {
    title: "a CloudEvent without an id",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, id: "" }),
    reads: { kind: "unreadable", reason: /has no id/ },
  },
  {
    title: "a CloudEvent without a source, in binary mode",
    headers: { "ce-specversion": "1.0", "ce-type": "a", "ce-id": "1" },
    body: () => "{}",
    reads: { kind: "unreadable", reason: /has no source/ },
  },
  {
    title: "a CloudEvent of a version to come",
    headers: STRUCTURED,
    body: () => JSON.stringify({ ...cloudEvent, specversion: "2.0" }),
    reads: { kind: "unreadable", reason: /version 1.0, not 2.0/ },
  },
  {
    title: "a CloudEvent with an overlong spelling of a blank, which the binding forbids",
    headers: { ...binary, "ce-subject": "%C0%A0" },
    body: () => "{}",
    reads: { kind: "unreadable", reason: /ce-subject is not percent-encoded/ },
  },
  {
    title: "a list that is called a CloudEvent",
    headers: STRUCTURED,
    body: () => "[]",
    reads: { kind: "unreadable", reason: /not a JSON object/ },
  },
];
