/**
 * Reads CloudEvents 1.0 out of HTTP requests, in structured mode and in binary mode. Pure; nothing throws.
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { type BodyReading, isJsonType, mediaType, readBody, readJsonText, utf8Text } from "./any-body.ts";
import { base64Bytes } from "./hmac.ts";
import type { InboundRequest } from "./listener.ts";
import { eventNameOf, isObject } from "./payload.ts";

const STRUCTURED = "application/cloudevents+json";
const BATCHED = "application/cloudevents-batch+json";
const REQUIRED = ["specversion", "type", "source", "id"] as const;
const VERSION = "1.0";
/** As the specification has them, and with them every name that a filter can spell. */
const ATTRIBUTE_NAME = /^[a-z0-9]{1,100}$/;

export interface CloudEvent {
  /** As a trigger can write it. */
  type: string;
  source: string;
  id: string;
  /** All attributes, extensions too, by their names. */
  attributes: Record<string, string | number | boolean>;
  /** The data as JSON; text as `{"text": …}`, bytes as `{"bytes": LENGTH, "type": …}`, no data as `{}`. */
  data: Json;
}

type CloudEventReading = CloudEvent | { reason: string };

/** @returns null where the request is not called a CloudEvent: neither by its type nor by `ce-specversion`. */
export function readCloudEvent(request: InboundRequest): CloudEventReading | null {
  const type = mediaType(request.headers);
  if (type === BATCHED) return { reason: "Batches of CloudEvents are not taken: send one event per request." };
  if (type === STRUCTURED) return readStructured(request);
  if (type?.startsWith("application/cloudevents"))
    return { reason: `CloudEvents are read as ${STRUCTURED}, not ${type}.` };
  return request.headers.has("ce-specversion") ? readBinary(request) : null;
}

function readStructured(request: InboundRequest): CloudEventReading {
  const body = readBody(request);
  if ("reason" in body) return body;
  if (!isObject(body.payload)) return { reason: "The CloudEvent is not a JSON object." };
  const attributes: CloudEvent["attributes"] = {};
  for (const [name, value] of Object.entries(body.payload)) {
    // Null is an attribute that is not set.
    if (!ATTRIBUTE_NAME.test(name) || name === "data" || value === null || typeof value === "object") continue;
    attributes[name] = value;
  }
  return cloudEvent(attributes, structuredData(body.payload));
}

function structuredData(event: JsonObject): BodyReading {
  const encoded = event["data_base64"];
  const type = event["datacontenttype"];
  if (encoded === undefined || encoded === null) {
    const data = event["data"] ?? {};
    return { payload: typeof data === "string" ? { text: data } : data };
  }
  const bytes = typeof encoded === "string" ? base64Bytes(encoded) : null;
  if (bytes === null) return { reason: "The CloudEvent's data_base64 is not base64." };
  const media = typeof type === "string" ? mediaOf(type) : null;
  const text = textOf(bytes);
  if (text === null) return ofBytes(bytes, media);
  // Whatever its type says, such data are bytes to the format: what is no JSON is no fault.
  return media !== null && isJsonType(media) ? readJsonText(text, false) : { payload: { text } };
}

function mediaOf(type: string): string {
  return type.split(";")[0]?.trim().toLowerCase() ?? "";
}

/** @returns null for bytes that are no text: not UTF-8, or with control characters. */
function textOf(bytes: Uint8Array): string | null {
  const text = utf8Text(bytes);
  return text === null || [...text].some((char) => char < "\t") ? null : text;
}

/** A run could do nothing with them. */
function ofBytes(bytes: Uint8Array, type: string | null): BodyReading {
  return { payload: { bytes: bytes.length, type } };
}

function readBinary(request: InboundRequest): CloudEventReading {
  const attributes: CloudEvent["attributes"] = {};
  for (const [header, encoded] of request.headers) {
    const name = header.startsWith("ce-") ? header.slice(3) : "";
    if (!ATTRIBUTE_NAME.test(name)) continue;
    const value = headerValue(encoded);
    if (value === null) return { reason: `The header ce-${name} is not percent-encoded UTF-8.` };
    attributes[name] = value;
  }
  const type = request.headers.get("content-type");
  if (type !== null) attributes["datacontenttype"] = type;
  const isText = textOf(request.body) !== null;
  return cloudEvent(
    attributes,
    isText ? readBody(request) : ofBytes(request.body, type === null ? null : mediaOf(type)),
  );
}

/** Unescapes double quotes, which older senders write, then one round of percent-encoding, as the binding says. */
function headerValue(encoded: string): string | null {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(encoded)?.[1];
  try {
    return decodeURIComponent(quoted === undefined ? encoded : quoted.replace(/\\(.)/g, "$1"));
  } catch {
    return null;
  }
}

function cloudEvent(attributes: CloudEvent["attributes"], data: BodyReading): CloudEventReading {
  const missing = REQUIRED.find((name) => typeof attributes[name] !== "string" || attributes[name] === "");
  if (missing !== undefined) return { reason: `The CloudEvent has no ${missing}.` };
  const { specversion, source, id } = attributes;
  const type = eventNameOf(String(attributes["type"]));
  if (type === null) return { reason: "The CloudEvent's type has no character that can be seen." };
  if (specversion !== VERSION) return { reason: `CloudEvents are read in version ${VERSION}, not ${specversion}.` };
  if ("reason" in data) return data;
  return { type, source: String(source), id: String(id), attributes, data: data.payload };
}
