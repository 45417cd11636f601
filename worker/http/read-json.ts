/** Reads a request's body as JSON: counted while it comes, its type checked, never silently dropped. */
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { wellFormedJson } from "#protocol/well-formed.ts";
import { isNestedDeeper } from "./nesting.ts";
import { readBytes } from "./read-bytes.ts";

export const BODY_LIMIT_BYTES = 1_048_576;
/** No request means anything at this depth, and writing such a value again takes very long. */
const NESTING_LIMIT = 1_000;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * @returns the parsed value, or `undefined` when there is no body.
 * Refuses with `body_too_large`, `content_type_refused` or `invalid_json`.
 * @param parse throws at what is no JSON.
 */
export async function readJson<Value = unknown>(
  request: Request,
  limitBytes: number = BODY_LIMIT_BYTES,
  parse: (text: string) => Value = JSON.parse,
): Promise<Result<Value | undefined>> {
  const bytes = await readBytes(request, limitBytes);
  if (!bytes.ok) return bytes;
  if (bytes.value.length === 0) return success(undefined);
  const fault = jsonHeaderFault(request.headers);
  if (fault !== null) return { ok: false, refusal: fault };
  try {
    const text = decoder.decode(bytes.value);
    if (isNestedDeeper(text, NESTING_LIMIT)) {
      return refuse("invalid_json", {
        message: `The body is nested deeper than ${NESTING_LIMIT} levels.`,
        field: "body",
      });
    }
    return success(parse(wellFormedJson(text)));
  } catch {
    return refuse("invalid_json", { field: "body" });
  }
}

/** Why a body with these headers is not read as JSON; null when it is. */
export function jsonHeaderFault(headers: Headers): Refusal | null {
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    return {
      code: "content_type_refused",
      message: "A compressed body is not accepted.",
      hint: "Send the body without Content-Encoding.",
      field: "Content-Encoding",
    };
  }
  return isJsonType(headers.get("content-type")) ? null : { code: "content_type_refused", field: "Content-Type" };
}

function isJsonType(contentType: string | null): boolean {
  const [essence = "", ...parameters] = (contentType ?? "").split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  const isUtf8 = charset === undefined || /^"?(?:utf-?8|us-ascii)"?$/.test(charset);
  return /^application\/(?:[a-z0-9.-]+\+)?json$/.test(essence) && isUtf8;
}
