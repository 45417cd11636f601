/** Which repository of which run a git request is about, and everything about its form that can refuse it. */
import type { GitRepository } from "#durable-objects/routine/runs/proxied-calls.ts";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { HttpContext } from "#worker/http/http-env.ts";

export type GitPath = "info/refs" | "git-upload-pack" | "git-receive-pack";

export interface GitTarget extends GitRepository {
  lease: LeaseRef;
  /** The repository's number in the routine. */
  number: number;
}

export async function readTarget(c: HttpContext, path: GitPath, lease: LeaseRef): Promise<Result<GitTarget>> {
  const fault = requestFault(c, path);
  return fault === null ? readRepository(c, lease) : { ok: false, refusal: fault };
}

/** Which repository a path is about. Git LFS puts `.git` behind its number. */
export async function readRepository(c: HttpContext, lease: LeaseRef): Promise<Result<GitTarget>> {
  const given = (c.req.param("number") ?? "").replace(/\.git$/, "");
  if (!/^(?:0|[1-9][0-9]{0,3})$/.test(given)) return refuse("not_found", { field: "number" });
  const number = Number(given);
  const repository = await c.var.deps.ownerOf(lease.run_id).gitRepository(lease, number, []);
  if (!repository.ok) return repository;
  const url = repository.value.url.replace(/\/+$/, "");
  return success({ ...repository.value, url, lease, number });
}

function requestFault(c: HttpContext, path: GitPath): Refusal | null {
  const { search } = new URL(c.req.url);
  if (path === "info/refs") {
    const isServed = c.req.method === "GET" && /^\?service=git-(?:upload|receive)-pack$/.test(search);
    return isServed ? null : { code: "not_found", field: "service" };
  }
  if (search !== "") return { code: "not_found", field: "query" };
  if (c.req.header("content-type") !== `application/x-${path}-request`) {
    return { code: "content_type_refused", field: "Content-Type", hint: `Send application/x-${path}-request.` };
  }
  if (path === "git-receive-pack" && c.req.header("content-encoding") !== undefined) {
    return { code: "content_type_refused", field: "Content-Encoding", hint: "Send a push without compression." };
  }
  return null;
}
