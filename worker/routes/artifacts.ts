/** Files that a run shows people: kept for its runner, listed, and given out so that a browser does nothing with them but show them. */
import { z } from "zod";
import {
  ARTIFACT_LIMIT_BYTES,
  ARTIFACT_NAME_HEADER,
  artifactIdSchema,
  artifactListSchema,
  SHOWN_IMAGES,
  sentArtifactSchema,
} from "#protocol/artifact.ts";
import { type Result, refuse } from "#protocol/errors.ts";
import { sessionIdSchema } from "#protocol/ids.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { readBytes } from "../http/read-bytes.ts";
import { sessionParams } from "./inputs.ts";

const all = { path: "/api/v1/sessions/{id}/artifacts", tag: "Sessions", needs: "runs:read" } as const;
const artifactParams = z.object({ id: sessionIdSchema, artifact_id: artifactIdSchema });
/** Nothing in it may run, load or send anything, whatever it is. */
const POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function mountArtifacts(app: App): void {
  endpoint(
    app,
    {
      ...all,
      method: "get",
      id: "listArtifacts",
      summary: "List the files that a session's runs have shown",
      params: sessionParams,
      answer: { status: 200, schema: artifactListSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).artifacts(),
  );
  endpoint(
    app,
    {
      ...all,
      path: `${all.path}/{artifact_id}`,
      method: "get",
      id: "readArtifact",
      summary: "Read a file that a run has shown",
      description: "The file itself: images as they are, all else as an attachment.",
      params: artifactParams,
      answer: { status: 200, files: [...SHOWN_IMAGES, "application/octet-stream"] },
    },
    async ({ c, params: { id, artifact_id } }) => {
      const found = await c.var.deps.ownerOf(id).artifact(artifact_id);
      if (!found.ok) return found;
      const object = await c.var.deps.artifactBytes.open(found.value.key);
      if (object === null) return refuse("not_found");
      const { name, media_type } = found.value;
      const isShown = SHOWN_IMAGES.includes(media_type);
      return new Response(object.content, {
        headers: {
          "content-type": isShown ? media_type : "application/octet-stream",
          "content-disposition": `${isShown ? "inline" : "attachment"}; filename*=UTF-8''${encoded(name)}`,
          "content-length": String(object.bytes),
          "content-security-policy": POLICY,
          "cache-control": "private, no-store",
        },
      });
    },
  );
}

/** Takes a file in from the runner of an attempt that is on. */
export async function keepArtifact(c: HttpContext, lease: LeaseRef): Promise<Result<null>> {
  const id = c.req.param("artifact_id") ?? "";
  const bytes = await readBytes(c.req.raw, ARTIFACT_LIMIT_BYTES);
  if (!bytes.ok) return bytes;
  const given = {
    name: decoded(c.req.header(ARTIFACT_NAME_HEADER) ?? ""),
    media_type: c.req.header("content-type"),
    bytes: bytes.value.length,
  };
  const about = sentArtifactSchema.safeParse(given);
  if (!about.success) return { ok: false, refusal: schemaRefusal(sentArtifactSchema, given, about.error) };
  const owner = c.var.deps.ownerOf(lease.run_id);
  const begun = await owner.beginArtifact(lease, id, about.data);
  if (!begun.ok) return begun;
  const { artifactBytes } = c.var.deps;
  const { key } = begun.value;
  await artifactBytes.put(key, bytes.value);
  const ended = await owner.endArtifact(lease, id);
  if (!ended.ok && !(await owner.hasUseFor(lease, key))) await artifactBytes.remove(key);
  return ended;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** As RFC 8187 has it. */
function encoded(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}
