/** GitHub's other content type, which a new webhook of a repository has unless it is changed: the JSON in a form. Pure. */

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** @param contentType null where there is none. */
export function isForm(contentType: string | null): boolean {
  return (contentType ?? "").trim().toLowerCase().startsWith("application/x-www-form-urlencoded");
}

/** The JSON of a delivery: its body, or the form's field `payload`. What is signed is the body as it came. */
export function payloadOf(headers: Readonly<Record<string, string>>, body: Uint8Array): Uint8Array {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? null;
  if (!isForm(type)) return body;
  return encoder.encode(new URLSearchParams(decoder.decode(body)).get("payload") ?? "");
}
